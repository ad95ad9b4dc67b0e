/** The most memory that a registry holds while eight clients push a gibibyte each, ours and Debian's `docker-registry`: `npm run bench -- registry-memory`. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { statfs } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startInstallation } from '../test/rig/installation.ts';
import { readPeakMemory, startDistribution, startOurs, type Peer } from './registry-peers.ts';
import type { Row } from './table.ts';

const mebibyte = 1024 * 1024;
const clients = 8;
const wantedMebibytes = 1024;
/** Left free on the disk for everybody else. */
const spareBytes = 4 * 1024 * mebibyte;

/** A registry, and the header with which it lets one push. */
interface Subject {
  readonly peer: Peer;
  readonly authorization: string;
}

/** Runs our registry alone, all of our API process, and the peer, one after the other, two minutes or so; what was pushed is removed in between. */
export async function benchRegistryMemory(): Promise<Row[]> {
  const mebibytes = await findSize();
  const alone = await measure(async () => withAccount(await startOurs()), mebibytes);
  const whole = await measure(startWhole, mebibytes);
  const floor = await measure(async () => withAccount(await startDistribution()), mebibytes);
  const load = `${String(clients)} uploads of ${String(mebibytes)} MiB at once`;
  const row = { floor, unit: 'MiB', target: '< 250 MiB' };
  return [
    { ...row, name: `registry: peak memory, ${load}`, ours: alone, ratio: alone / floor },
    { ...row, name: `registry: the same, all of the API process`, ours: whole, ratio: whole / floor },
  ];
}

function withAccount(peer: Peer, username = 'bench', password = 'bench'): Subject {
  return { peer, authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** The API process of an installation, compiled, with the registry in it. */
async function startWhole(): Promise<Subject> {
  const slipway = await startInstallation({ compiled: true, env: { SLIPWAY_LOG_LEVEL: 'warn' } });
  const { url, account } = slipway;
  const peakMemory = (): Promise<number> => readPeakMemory(slipway.processes.api.pid());
  return withAccount({ url, peakMemory, stop: () => slipway.stop() }, account.username, account.password);
}

/** MiB of one upload: what was wanted, or what the disk has room for. */
async function findSize(): Promise<number> {
  const { bavail, bsize } = await statfs(tmpdir());
  const fits = Math.floor((bavail * bsize - spareBytes) / clients / mebibyte);
  if (fits < 16) throw new Error(`there is too little room in ${tmpdir()} to measure uploads`);
  return Math.min(wantedMebibytes, fits);
}

async function measure(start: () => Promise<Subject>, mebibytes: number): Promise<number> {
  const subject = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  try {
    await Promise.all(Array.from({ length: clients }, () => push(subject, agent, mebibytes)));
    return await subject.peer.peakMemory();
  } finally {
    agent.destroy();
    await subject.peer.stop();
  }
}

/** As docker and skopeo push: POST, one PATCH with all bytes, an empty PUT. */
async function push({ peer, authorization }: Subject, agent: Agent, mebibytes: number): Promise<void> {
  const { url } = peer;
  const common = { agent, authorization };
  const begun = await exchange(new URL('/v2/bench/blobs/uploads/', url), { ...common, method: 'POST' }, 202);
  const hash = createHash('sha256');
  const session = new URL(begun.headers.location ?? '', url);
  const patched = await exchange(session, { ...common, method: 'PATCH' }, 202, contentOf(mebibytes, hash));
  const closing = new URL(patched.headers.location ?? '', url);
  closing.searchParams.set('digest', `sha256:${hash.digest('hex')}`);
  await exchange(closing, { ...common, method: 'PUT' }, 201);
}

interface Content {
  readonly length: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/** Bytes that no registry has seen, made while they are sent. */
function contentOf(mebibytes: number, hash: ReturnType<typeof createHash>): Content {
  const bytes = randomBytes(mebibyte);
  async function* generate(): AsyncGenerator<Buffer> {
    for (let sent = 0; sent < mebibytes; sent += 1) {
      hash.update(bytes);
      yield bytes;
      await new Promise(setImmediate); // eight of these share the process
    }
  }
  return { length: mebibytes * mebibyte, chunks: generate() };
}

/** One request; resolves when the whole answer has arrived. */
async function exchange(
  url: URL,
  { agent, method, authorization }: { readonly agent: Agent; readonly method: string; readonly authorization: string },
  wanted: number,
  content?: Content,
): Promise<IncomingMessage> {
  const headers = { authorization, 'content-length': String(content?.length ?? 0) };
  const sent = request(url, { agent, method, headers });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  const sending = content === undefined ? Promise.resolve(sent.end()) : pipeline(Readable.from(content.chunks), sent);
  const [[answer]] = await Promise.all([answered, sending]);
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode === wanted) return answer;
  throw new Error(`${method} ${url.pathname}: ${String(answer.statusCode)}`);
}
