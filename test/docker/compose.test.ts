import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommands } from '../../src/host/commands.ts';
import { parseEngineHost, probeEngine } from '../../src/host/engine-probe.ts';
import { usualSockets } from '../../src/host/engine.ts';
import { tarOf } from '../rig/contexts.ts';
import { eventually, freePort } from '../rig/installation.ts';
import { callEngine, dockerStandIn, nodeStandIn } from '../rig/stand-ins.ts';

const root = new URL('../..', import.meta.url).pathname;
const commands = createCommands();
const project = `slipwaytest${randomBytes(4).toString('hex')}`;
const image = `${project}:latest`;
const socketDirectory = `/run/${project}`;

interface RunAnswer {
  readonly properties: {
    readonly runId: string;
    readonly status: string;
    readonly runErrorMessage?: string;
    readonly outputImages?: readonly { readonly repository: string; readonly digest: string }[];
  };
}

/** The words that start Compose: Debian's docker-compose, or the engine client's plugin. */
async function findCompose(): Promise<readonly [string, ...string[]]> {
  if (commands.find('docker-compose') !== undefined) return ['docker-compose'];
  const { code } = await commands.run('docker', ['compose', 'version']);
  if (code === 0) return ['docker', 'compose'];
  throw new Error('neither docker-compose nor docker compose is installed; npm test installs one');
}

async function findEngine(): Promise<string> {
  const given = process.env['DOCKER_HOST'];
  for (const host of given === undefined ? usualSockets(homedir(), process.env['XDG_RUNTIME_DIR']) : [given]) {
    if ((await probeEngine(host)).ok) return host;
  }
  throw new Error('no container engine answers');
}

describe('docker-compose.yml', () => {
  let engine: string;
  let env: NodeJS.ProcessEnv;
  let url: string;
  let authorization: string;

  async function compose(...args: readonly string[]): Promise<string> {
    const [program, ...first] = await findCompose();
    const child = spawn(commands.find(program) ?? program, [...first, '-p', project, ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, all] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      all += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => (all += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`compose ${args.join(' ')}: ${all.slice(-3000)}`);
    return stdout;
  }

  async function call<T>(path: string, body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v1${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** A run when it has ended. */
  function ended({ properties: { runId } }: RunAnswer): Promise<RunAnswer> {
    return eventually('the end of the run', 60_000, async () => {
      const now = await call<RunAnswer>(`/runs/${runId}`);
      return ['Queued', 'Started', 'Running'].includes(now.properties.status) ? undefined : now;
    });
  }

  beforeAll(async () => {
    engine = await findEngine();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const where = parseEngineHost(engine);
    env = {
      ...process.env,
      SLIPWAY_PORT: String(port),
      SLIPWAY_IMAGE: image,
      NODE_IMAGE: nodeStandIn,
      SLIPWAY_IMAGES: `docker=${dockerStandIn}`,
      SLIPWAY_SOCKET_DIR: socketDirectory,
      DOCKER_HOST: engine,
      ...(where !== undefined && 'socketPath' in where ? { DOCKER_SOCKET: where.socketPath } : {}),
    };
    await compose('build', 'api');
    await compose('up', '-d', '--no-build');
    const script = "process.stdout.write(require('node:fs').readFileSync('/data/admin.json', 'utf8'))";
    const account = JSON.parse(await compose('exec', '-T', 'api', 'node', '-e', script)) as Record<string, string>;
    const login = `${account['username'] ?? ''}:${account['password'] ?? ''}`;
    authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  }, 300_000);

  afterAll(async () => {
    await compose('down', '-v', '-t', '3');
    await rm(socketDirectory, { recursive: true, force: true });
    const built = `${url.replace('http://', '')}/from-compose:1`;
    for (const name of [image, built]) await callEngine(engine, { method: 'DELETE', path: `/images/${name}?force=1` });
  }, 60_000);

  it('brings up an installation that builds, pushes and runs as an ordinary user', async () => {
    const { uploadUrl, relativePath } = await call<Record<string, string>>('/listBuildSourceUploadUrl', {});
    const context = await tarOf({ Dockerfile: 'FROM busybox\nRUN echo built > /made\n' });
    const put = await fetch(uploadUrl ?? '', { method: 'PUT', body: new Uint8Array(context) });
    expect(put.status).toBe(201);
    const scheduled = await call<RunAnswer>('/scheduleRun', {
      type: 'DockerBuildRequest',
      sourceLocation: relativePath,
      dockerFilePath: 'Dockerfile',
      platform: { os: 'Linux' },
      imageNames: ['from-compose:1'],
      isPushEnabled: true,
    });
    const run = await ended(scheduled);
    expect(run.properties.status).toBe('Succeeded');
    const digest = run.properties.outputImages?.[0]?.digest ?? '';
    const manifest = await fetch(`${url}/v2/from-compose/manifests/${digest}`, { headers: { authorization } });
    expect(manifest.status).toBe(200);
  });

  it('lets a step drive the engine by the socket of its run', async () => {
    const task = 'version: v1.1.0\nsteps:\n  - cmd: docker run --rm busybox:latest echo from-inside\n';
    const scheduled = await call<RunAnswer>('/scheduleRun', {
      type: 'EncodedTaskRunRequest',
      encodedTaskContent: Buffer.from(task).toString('base64'),
      platform: { os: 'Linux' },
    });
    const { properties } = await ended(scheduled);
    expect(properties.status, properties.runErrorMessage).toBe('Succeeded');
  });

  it('lets no role go on as root', async () => {
    const script =
      "const s = require('node:fs').readFileSync('/proc/1/status', 'utf8'); console.log(/^Uid:.*$/m.exec(s)[0])";
    for (const service of ['api', 'trigger-worker', 'run-worker']) {
      expect(await compose('exec', '-T', service, 'node', '-e', script)).toMatch(/^Uid:(\s+1000){4}/);
    }
  });
});
