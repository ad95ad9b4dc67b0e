import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openKeyRing } from '../../src/secret/key-ring.ts';
import { labelInstallation } from '../../src/secret/key.ts';
import { startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule, upload, type RunDocument } from '../rig/quick-build.ts';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;

let slipway: Installation;
/** What the steps ask, and what it answers. */
let oracle: Server;
let isReady = false;
let address: string;

beforeAll(async () => {
  slipway = await startInstallation({ env: { SLIPWAY_KEEP_FAILED: '1' } });
  const gateway = await run('docker', ['network', 'inspect', 'bridge', '-f', '{{(index .IPAM.Config 0).Gateway}}']);
  oracle = createServer((_, response) => response.writeHead(isReady ? 200 : 503).end('ready\n')).listen(0, '0.0.0.0');
  await once(oracle, 'listening');
  address = `http://${gateway.stdout.trim()}:${(oracle.address() as AddressInfo).port}/`;
}, 60_000);
afterAll(async () => {
  await removeKept();
  await removeImages(slipway);
  await slipway.stop();
  oracle.close();
}, 60_000);
beforeEach(() => {
  isReady = false;
});

/** Removes what failed runs left. */
async function removeKept(): Promise<void> {
  const ring = await openKeyRing(undefined, join(slipway.dataDir, 'key'));
  const label = await labelInstallation('slipway', slipway.dataDir, ring.keys());
  const filter = ['--filter', `label=slipway.installation=${label}`];
  const list = async (...words: string[]) => (await run('docker', words)).stdout.split('\n').filter((id) => id !== '');
  const containers = await list('ps', '-aq', ...filter);
  if (containers.length > 0) await run('docker', ['rm', '-fv', ...containers]);
  const volumes = await list('volume', 'ls', '-q', ...filter);
  if (volumes.length > 0) await run('docker', ['volume', 'rm', ...volumes]);
}

const yaml = (): string => `
version: v1.1.0
steps:
  - id: prepare
    cmd: busybox:latest sh -c 'echo once >> /workspace/trace; echo color=green >> $SLIPWAY_OUTPUT'
  - id: image
    build: -t $Registry/resumed:$ID .
  - id: push
    push: [$Registry/resumed:$ID]
  - id: check
    cmd: busybox:latest wget -q -O - ${address}
  - id: last
    cmd: busybox:latest sh -c 'cat /workspace/trace; echo color {{.Outputs.prepare.color}}'
`;

/** A run of it that has failed, because the oracle was not ready. */
async function failOnce(): Promise<RunDocument['properties']> {
  const files = { 'acb.yaml': yaml(), Dockerfile: 'FROM busybox:latest\nCOPY trace /trace\n' };
  const sourceLocation = await upload(slipway, files);
  const request = { type: 'FileTaskRunRequest', taskFilePath: 'acb.yaml', dockerFilePath: undefined, sourceLocation };
  const { runId } = (await schedule(slipway, request)).properties;
  const { properties } = await ended(slipway, runId);
  expect(properties, await getLog(slipway, runId)).toMatchObject({ status: 'Failed' });
  expect(properties.steps?.map(({ outcome }) => outcome?.kind)).toEqual([
    ...['succeeded', 'succeeded', 'succeeded', 'failed', 'skipped'],
  ]);
  return properties;
}

async function rerun(id: string): Promise<{ run: RunDocument['properties']; log: string }> {
  const init = {
    method: 'POST',
    body: '{"fromFailed":true}',
    headers: { 'content-type': 'application/json' },
  };
  const answer = (await (await slipway.request(`/api/v1/runs/${id}/rerun`, init)).json()) as RunDocument;
  const { properties } = await ended(slipway, answer.properties.runId);
  return { run: properties, log: await getLog(slipway, properties.runId) };
}

const started = (log: string): string[] => [...log.matchAll(/^Step (\S+) started$/gm)].map(([, id = '']) => id);
const linesOf = (log: string, line: string): number => log.split('\n').filter((one) => one === line).length;

describe('a run that goes on from the failed step', () => {
  it('runs that step and those behind it, with the files, outputs and images that there were', async () => {
    const first = await failOnce();
    isReady = true;
    const { run: second, log } = await rerun(first.runId);
    expect(second, log).toMatchObject({ status: 'Succeeded', cause: { rerunOf: first.runId, fromFailed: true } });
    expect(started(log)).toEqual(['check', 'last']);
    expect([linesOf(log, 'once'), linesOf(log, 'ready'), linesOf(log, 'color green')]).toEqual([1, 1, 1]);
    expect(log).toContain(`Step image succeeded (taken from run ${first.runId})`);
    expect(second.outputImages).toEqual(first.outputImages);
    expect(second.outputImages).toMatchObject([{ repository: 'resumed', tag: first.runId }]);
  }, 120_000);

  it('can be made of one run more than once, and of one that went on itself', async () => {
    const first = await failOnce();
    const second = await rerun(first.runId);
    expect([second.run.status, started(second.log)]).toEqual(['Failed', ['check']]);
    isReady = true;
    const [again, third] = [await rerun(first.runId), await rerun(second.run.runId)];
    for (const { run: done, log } of [again, third]) {
      expect(done, log).toMatchObject({ status: 'Succeeded' });
      expect([started(log), linesOf(log, 'once')]).toEqual([['check', 'last'], 1]);
    }
  }, 180_000);

  it('begins with the files of the context, and does again what made others, where the workspace is gone', async () => {
    const first = await failOnce();
    await removeKept();
    isReady = true;
    const { run: second, log } = await rerun(first.runId);
    expect(second, log).toMatchObject({ status: 'Succeeded' });
    expect(started(log)).toEqual(['prepare', 'image', 'push', 'check', 'last']);
    expect([linesOf(log, 'once'), linesOf(log, 'color green')]).toEqual([1, 1]);
    expect(second.outputImages).toMatchObject([{ tag: first.runId }]);
  }, 120_000);

  it('builds again what the engine has not any more, and pushes that', async () => {
    const first = await failOnce();
    await run('docker', ['rmi', '-f', `${slipway.registryHost}/resumed:${first.runId}`]);
    isReady = true;
    const { log } = await rerun(first.runId);
    expect(started(log)).toEqual(['image', 'push', 'check', 'last']);
    expect(linesOf(log, 'once')).toBe(1);
  }, 120_000);

  it('is what the command does, and says in its list of steps', async () => {
    const first = await failOnce();
    isReady = true;
    const cli = (...words: string[]) =>
      run(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words], {
        cwd: root,
        env: { ...process.env, ...slipway.env, SLIPWAY_SERVER: slipway.url },
      });
    const { stdout } = await cli('runs', 'rerun', first.runId, '--from-failed');
    const id = /Run ID: (\w+) was successful/.exec(stdout)?.[1] ?? '';
    const shown = (await cli('runs', 'show', id)).stdout;
    expect(shown).toMatch(new RegExp(`Cause: +by hand, by \\S+, going on from where ${first.runId} failed`));
    expect(shown).toMatch(new RegExp(`prepare +cmd +succeeded, taken from run ${first.runId} +-`));
    const refused = await cli('runs', 'rerun', id, '--from-failed').catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no failed step to go on from'),
    });
  }, 120_000);
});
