import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShowcase } from '../../src/cli/showcase.ts';
import { createNodeBaseImage } from '../../src/host/base-image.ts';
import { createCommands } from '../../src/host/commands.ts';
import { connectEngine, type Engine } from '../../src/runner/docker/index.ts';
import { readAccount } from '../../src/secret/account.ts';
import { freePort } from '../rig/installation.ts';

const root = new URL('../..', import.meta.url).pathname;

describe('from nothing to a pushed image', () => {
  let folder: string;
  let env: Record<string, string>;
  let registryHost: string;
  let engine: Engine;

  const slipway = async (...words: readonly string[]) => {
    const child = spawn(process.execPath, [join(root, 'src/cli/slipway.mjs'), ...words], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { stdout, stderr, code };
  };

  const ourTags = async (): Promise<readonly string[]> => {
    const images = (await engine.json({ method: 'GET', path: '/images/json' })) as { RepoTags: string[] | null }[];
    return images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.startsWith(`${registryHost}/`));
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-quickstart-'));
    const port = await freePort();
    registryHost = `127.0.0.1:${port}`;
    env = { SLIPWAY_DATA: join(folder, '.slipway'), SLIPWAY_PORT: String(port), SLIPWAY_NAME: `quick${port}` };
    engine = connectEngine({ host: process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock' });
  });

  afterAll(async () => {
    await slipway('down', '--purge');
    engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('starts, builds, pushes, runs from the registry; does it again in seconds; and looks healthy', async () => {
    const first = await slipway('quickstart', '--json');
    expect(first.code, first.stderr).toBe(0);
    const result = JSON.parse(first.stdout) as { image: string; answer: string; rebuilt: { answer: string } };
    expect(JSON.parse(result.rebuilt.answer)).toMatchObject({
      baseVersion: expect.stringMatching(/^1\.\d{14}$/) as string,
    });
    expect(result.image).toMatch(new RegExp(`^${registryHost}/hello-node:1\\.0\\.0@sha256:[0-9a-f]{64}$`));
    expect(JSON.parse(result.answer)).toMatchObject({ message: 'Hello from hello-node', version: '1.0.0' });
    const begin = performance.now();
    const second = await slipway('quickstart', '--brief');
    expect(second.code, second.stderr).toBe(0);
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(second.stdout).toContain('It was up already');
    const third = await slipway('quickstart');
    expect(third.code, third.stderr).toBe(0);
    expect(third.stdout).toMatch(/Task greeting stands on it: run \w+ was started for the update/);
    const doctor = await slipway('doctor', '--json');
    expect(doctor.code, doctor.stdout).toBe(0);
  });

  it('makes a base image of this machine where none can be pulled, and builds on it', async () => {
    const account = await readAccount(env['SLIPWAY_DATA']!);
    const showcase = createShowcase({
      engine,
      engineAddress: '127.0.0.1',
      registryHost,
      url: `http://${registryHost}`,
      labels: { 'slipway.installation': env['SLIPWAY_NAME']! },
      makeBase: () => createNodeBaseImage(createCommands(), process.execPath),
      publicBase: 'registry.invalid/none:1',
      close: () => undefined,
    });
    const said: string[] = [];
    const base = await showcase.ensureBase(account!, (line) => said.push(line));
    expect(base.how).toContain('made of this machine');
    expect(said).toHaveLength(2);
    expect((await showcase.ensureBase(account!, () => undefined)).how).toBe('in the registry already');
    const words = ['build', join(root, 'examples/hello-node'), '-t', 'own:1', '--build-arg', `BASE=${base.image}`];
    const built = await slipway(...words);
    expect(built.code, built.stdout).toBe(0);
    const { answer } = await showcase.runFromRegistry(`${registryHost}/own:1`, account!);
    expect(JSON.parse(answer)).toMatchObject({ message: 'Hello from hello-node' });
  });

  it('leaves nothing behind after down --purge', async () => {
    expect(await ourTags()).not.toEqual([]);
    const { code, stdout, stderr } = await slipway('down', '--purge');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('Stopped: run-worker, trigger-worker, api');
    expect(existsSync(env['SLIPWAY_DATA']!)).toBe(false);
    expect(await ourTags()).toEqual([]);
    const filters = JSON.stringify({ label: [`slipway.installation=${env['SLIPWAY_NAME']!}`] });
    expect(await engine.json({ method: 'GET', path: '/containers/json', query: { all: '1', filters } })).toEqual([]);
    await expect(fetch(`http://${registryHost}/healthz`)).rejects.toThrow();
    const again = await slipway('down');
    expect(again).toMatchObject({ code: 0, stdout: 'Nothing was running.\n' });
    expect(existsSync(env['SLIPWAY_DATA']!)).toBe(false);
  });
});
