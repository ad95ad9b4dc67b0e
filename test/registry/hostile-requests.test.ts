import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDiskBlobStore } from '../../src/blob/disk/store.ts';
import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { createDice, drawRequest } from './hostile-cases.ts';
import { converse, type Outcome, type WireRequest } from './hostile-wire.ts';
import { basic, startRegistry, type RunningRegistry } from './rig.ts';

const casesOfRound = 2000;
const { seed = 1 } = fc.readConfigureGlobal();
const authorization = basic('admin', 'secret');

/** What is wrong with an answer; undefined when nothing is. */
function faultOf({ method }: WireRequest, outcome: Outcome): string | undefined {
  if (outcome === 'closed') return 'no answer';
  const { status, headers, body } = outcome;
  if (status < 200 || status >= 500) return `status ${String(status)}`;
  if (Object.keys(headers).some((name) => name.includes('injected'))) return 'a header came from the request';
  if (status < 400 || method === 'HEAD') return undefined;
  const isParsers = headers['connection'] === 'close' && body === '' && [400, 431].includes(status);
  if (isParsers || status === 418 || isErrorDocument(body)) return undefined;
  return `no error document but ${body.slice(0, 200)}`;
}

/** An OCI error document, or what OAuth answers with at its endpoints (RFC 6749 §5.2). */
function isErrorDocument(body: string): boolean {
  try {
    const { errors, error } = JSON.parse(body) as { errors?: { code: string; message: string }[]; error?: string };
    if (errors === undefined) return typeof error === 'string' && /^[a-z_]+$/.test(error);
    return errors.length > 0 && errors.every(({ code, message }) => /^[A-Z_]+$/.test(code) && message.length < 1000);
  } catch {
    return false;
  }
}

/** Sends rounds of requests to a registry; all of them, and what became of each. */
async function attack(
  running: RunningRegistry,
  rounds: number,
  from: number,
): Promise<{ readonly requests: WireRequest[]; readonly outcomes: Outcome[] }> {
  const dice = createDice(from);
  const requests = Array.from({ length: rounds * casesOfRound }, () => drawRequest(dice, authorization));
  const { port } = running.server.address() as AddressInfo;
  const outcomes: Outcome[] = [];
  for (let at = 0; at < requests.length; at += casesOfRound) {
    // What the last round deleted is there again.
    for (const name of ['app', 'team/app']) await running.pushImage(name, 'v1');
    outcomes.push(...(await converse(port, requests.slice(at, at + casesOfRound))));
  }
  return { requests, outcomes };
}

function faultsOf({ requests, outcomes }: Awaited<ReturnType<typeof attack>>): string[] {
  return requests.flatMap((request, index) => {
    const fault = faultOf(request, outcomes[index] ?? 'closed');
    return fault === undefined ? [] : [`${fault}: ${request.bytes.toString('latin1').slice(0, 300)}`];
  });
}

describe('tens of thousands of hostile requests', () => {
  it('are answered, none with a fault of the server, and each refusal with an error document', async () => {
    const running = await startRegistry({ storage: createMemoryBlobStore(() => 0) });
    const told = await attack(running, 10, seed);
    expect(faultsOf(told).slice(0, 5)).toEqual([]);
    expect(running.errors).toEqual([]);
    // They would prove little if they did not get beyond the parser, and into all of the registry.
    const statuses = new Set(told.outcomes.map((outcome) => (outcome === 'closed' ? 0 : outcome.status)));
    expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 202, 206, 304, 400, 401, 404, 405, 416]));
    await running.stop();
  }, 60_000);
});

describe('where the store is a directory', () => {
  let folder: string;
  let running: RunningRegistry;
  let kept: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-hostile-'));
    await mkdir(join(folder, 'store'));
    for (const name of ['before', 'store.txt']) await writeFile(join(folder, name), name);
    const storage = await createDiskBlobStore(join(folder, 'store'), () => Date.now());
    running = await startRegistry({ storage });
    kept = (await running.pushImage('kept/image', 'v1')).bytes;
  });
  afterAll(async () => {
    await running.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('thousands more do no harm either', async () => {
    expect(faultsOf(await attack(running, 2, seed + 2)).slice(0, 5)).toEqual([]);
    expect(running.errors).toEqual([]);
  }, 60_000);

  it('they write nothing outside of it, and nothing under a name that is none', async () => {
    expect((await readdir(folder)).sort()).toEqual(['before', 'store', 'store.txt']);
    const paths = await readdir(join(folder, 'store'), { recursive: true });
    const strange = paths.filter((path) => !/^[A-Za-z0-9._:@%/+-]+$/.test(path) || path.includes('..'));
    expect(strange).toEqual([]);
    expect(running.registry.listRepositories().filter((name) => !/^[a-z0-9._/-]+$/.test(name))).toEqual([]);
  });

  it('they leave what was there before as it was', async () => {
    const answer = await running.send('GET', '/v2/kept/image/manifests/v1');
    expect([answer.status, await answer.text()]).toEqual([200, kept]);
  });
});
