/** Push and pull through the embedded registry beside Debian's `docker-registry`, in turns: `npm run bench registry`. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import { median, type Row } from './table.ts';
import { startDistribution, startOurs, type Peer } from './registry-peers.ts';

const mebibyte = 1024 * 1024;
const rounds = 5;
const clients = 8;

type Measure = 'push1' | 'pull1' | 'push8' | 'pull8';
type Figures = Record<Measure, number[]>;

/** Runs the comparison, about a minute. Rates are medians of five rounds, MiB/s. */
export async function benchRegistry(): Promise<Row[]> {
  const peers = [await startOurs(), await startDistribution()];
  try {
    const figures = peers.map((): Figures => ({ push1: [], pull1: [], push8: [], pull8: [] }));
    for (let round = 0; round <= rounds; round += 1) {
      // The first round warms both up and does not count; then they take turns in being first.
      const order = round % 2 === 0 ? [0, 1] : [1, 0];
      for (const turn of order) {
        const [peer, own] = [peers[turn], figures[turn]];
        if (peer !== undefined) await measure(peer, round === 0 ? undefined : own);
      }
    }
    return await rowsOf(peers, figures);
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

async function rowsOf(peers: Peer[], figures: Figures[]): Promise<Row[]> {
  const row = (name: string, measure: Measure): Row => {
    const [ours = 0, floor = 0] = figures.map((each) => median(each[measure]));
    return { name, ours, floor, ratio: ours / floor, unit: 'MiB/s', target: 'ratio ≥ 1' };
  };
  const [ours = 0, floor = 0] = await Promise.all(peers.map((peer) => peer.peakMemory()));
  return [
    row('registry: push 1 × 200 MiB', 'push1'),
    row('registry: pull 1 × 200 MiB', 'pull1'),
    row(`registry: push ${String(clients)} × 50 MiB at once`, 'push8'),
    row(`registry: pull ${String(clients)} × 50 MiB at once`, 'pull8'),
    { name: 'registry: peak memory', ours, floor, ratio: ours / floor, unit: 'MiB', target: '< 200 MiB' },
  ];
}

async function measure(peer: Peer, figures: Figures | undefined): Promise<void> {
  const large = [blobOf(200)];
  const many = Array.from({ length: clients }, () => blobOf(50));
  for (const [name, blobs, act] of [
    ['push1', large, push],
    ['pull1', large, pull],
    ['push8', many, push],
    ['pull8', many, pull],
  ] as const) {
    // What the step before has left to be written must not be charged to this one.
    if (act === push) await promisify(execFile)('sync');
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    const begun = performance.now();
    await Promise.all(blobs.map((blob) => act(peer, agent, blob)));
    const seconds = (performance.now() - begun) / 1000;
    agent.destroy();
    const total = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    figures?.[name].push(total / mebibyte / seconds);
  }
}

interface Blob {
  readonly bytes: Buffer;
  readonly digest: string;
}

/** Content that no registry has seen. */
function blobOf(mebibytes: number): Blob {
  const bytes = Buffer.alloc(mebibytes * mebibyte, randomBytes(mebibyte));
  randomBytes(16).copy(bytes);
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** As docker and skopeo push: POST, one PATCH with all bytes, an empty PUT. */
async function push(peer: Peer, agent: Agent, { bytes, digest }: Blob): Promise<void> {
  const begun = await exchange(`${peer.url}/v2/bench/blobs/uploads/`, { agent, method: 'POST' });
  const session = new URL(begun.headers.location ?? '', peer.url);
  const patched = await exchange(session, { agent, method: 'PATCH' }, bytes);
  const closing = new URL(patched.headers.location ?? '', peer.url);
  closing.searchParams.set('digest', digest);
  const closed = await exchange(closing, { agent, method: 'PUT' });
  if (closed.statusCode !== 201) throw new Error(`a push ended with status ${String(closed.statusCode)}`);
}

/** By `curl`: this process could not take the bytes as fast as a registry sends them. */
async function pull(peer: Peer, _: Agent, { bytes, digest }: Blob): Promise<void> {
  const words = ['-sS', '-o', '/dev/null', '-u', 'bench:bench', '-w', '%{size_download}'];
  const { stdout } = await promisify(execFile)('curl', [...words, `${peer.url}/v2/bench/blobs/${digest}`]);
  if (Number(stdout) !== bytes.length) throw new Error(`a pull brought ${stdout} bytes`);
}

/** One request; resolves when the whole answer has arrived. */
function exchange(url: string | URL, options: RequestOptions, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const authorization = `Basic ${Buffer.from('bench:bench').toString('base64')}`;
    const headers = { authorization, 'content-length': String(body?.length ?? 0) };
    const sent = request(url, { ...options, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
