/** Many small operations at the registry beside Debian's `docker-registry`, in turns: `npm run bench registry-small`. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import { startDistribution, startOurs, type Peer } from './registry-peers.ts';
import { median, type Row } from './table.ts';

const rounds = 5;
const clients = 8;
const tagsListed = 2500;
const authorization = `Basic ${Buffer.from('bench:bench').toString('base64')}`;
const imageType = 'application/vnd.oci.image.manifest.v1+json';

interface Subject {
  readonly peer: Peer;
  readonly agent: Agent;
}

/** One kind of operation: how often, how many at once, and what. */
interface Measure {
  readonly name: string;
  readonly clients: number;
  readonly count: number;
  readonly target: number;
  readonly act: (subject: Subject, at: number) => Promise<void>;
}

/** One thing to read over and over, by `wrk`: this process could not ask as fast as a registry answers. */
interface Reading {
  readonly name: string;
  readonly clients: number;
  readonly target: number;
  readonly path: string;
}

/** Runs the comparison, about a minute. Rates are medians of five rounds, operations a second. */
export async function benchRegistrySmall(): Promise<Row[]> {
  const peers = [await startOurs(), await startDistribution()];
  try {
    const agents = peers.map(() => new Agent({ keepAlive: true, maxSockets: clients }));
    const subjects = peers.map((peer, at) => ({ peer, agent: agents[at] as Agent }));
    for (const subject of subjects) await prepareAll(subject);
    const rows: Row[] = [];
    for (const measure of measures) rows.push(await compare(subjects, measure));
    for (const reading of readings) rows.push(await compareReading(subjects, reading));
    for (const agent of agents) agent.destroy();
    return rows;
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

async function compare(subjects: readonly Subject[], measure: Measure): Promise<Row> {
  return inTurns(subjects, measure, async (subject, isWarmUp) => {
    const count = isWarmUp ? Math.ceil(measure.count / 4) : measure.count;
    const begun = performance.now();
    await runAtOnce(measure, subject, count);
    return (count / (performance.now() - begun)) * 1000;
  });
}

async function compareReading(subjects: readonly Subject[], reading: Reading): Promise<Row> {
  return inTurns(subjects, reading, async ({ peer }, isWarmUp) => {
    const load = ['-t1', `-c${String(reading.clients)}`, isWarmUp ? '-d1s' : '-d2s'];
    const headers = ['-H', `Authorization: ${authorization}`, '-H', `Accept: ${imageType}`];
    const { stdout } = await promisify(execFile)('wrk', [...load, ...headers, `${peer.url}/v2/${reading.path}`]);
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk met errors: ${stdout}`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  });
}

/** Measures the peers one after the other, several times, and takes turns in who is first; the first round does not count. */
async function inTurns(
  subjects: readonly Subject[],
  { name, clients: atOnce, target }: Pick<Measure, 'name' | 'clients' | 'target'>,
  rate: (subject: Subject, isWarmUp: boolean) => Promise<number>,
): Promise<Row> {
  const rates = subjects.map((): number[] => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const turn of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const subject = subjects[turn];
      const measured = subject === undefined ? 0 : await rate(subject, round === 0);
      if (round > 0) rates[turn]?.push(measured);
    }
  }
  const [ours = 0, floor = 0] = rates.map(median);
  const row = { name: `registry: ${name}, ${String(atOnce)} at once`, ours, floor, ratio: ours / floor };
  return { ...row, unit: '/s', target: `ratio ≥ ${String(target)}` };
}

async function runAtOnce({ clients: workers, act }: Measure, subject: Subject, count: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await act(subject, at);
  };
  await Promise.all(Array.from({ length: workers }, work));
}

const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
const layer = randomBytes(10 * 1024);

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A manifest that nobody has seen. */
function freshManifest(): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length }],
      annotations: { fresh: randomBytes(16).toString('hex'), padding: 'x'.repeat(400) },
    }),
  );
}

async function prepareAll(subject: Subject): Promise<void> {
  for (const blob of [config, layer]) await pushBlob(subject, blob);
  const bytes = freshManifest();
  await putManifest(subject, 'latest', bytes);
  for (const blob of [config, layer]) await pushBlob(subject, blob, 'listed');
  await runAtOnce(
    {
      name: 'tags',
      clients,
      count: 0,
      target: 0,
      act: (one, at) => putManifest(one, `tag-${String(at)}`, bytes, 'listed'),
    },
    subject,
    tagsListed,
  );
}

const pushFresh = (subject: Subject): Promise<void> => pushBlob(subject, randomBytes(10 * 1024));
const putFresh = (subject: Subject): Promise<void> =>
  putManifest(subject, `t${randomBytes(8).toString('hex')}`, freshManifest());

const measures: readonly Measure[] = [
  { name: 'push 10 KiB blobs', clients: 1, count: 200, target: 3, act: pushFresh },
  { name: 'push 10 KiB blobs', clients, count: 600, target: 3, act: pushFresh },
  { name: 'PUT manifests with a new tag', clients: 1, count: 300, target: 4, act: putFresh },
  { name: 'PUT manifests with a new tag', clients, count: 1000, target: 4, act: putFresh },
];

const readings: readonly Reading[] = [1, clients].flatMap((atOnce) => [
  { name: 'GET manifests by tag', clients: atOnce, target: 5, path: 'bench/manifests/latest' },
  { name: `list 100 of ${String(tagsListed)} tags`, clients: atOnce, target: 5, path: 'listed/tags/list?n=100' },
]);

async function pushBlob({ peer, agent }: Subject, bytes: Buffer, repository = 'bench'): Promise<void> {
  const begun = await exchange(`${peer.url}/v2/${repository}/blobs/uploads/`, { agent, method: 'POST' }, 202);
  const closing = new URL(begun.headers.location ?? '', peer.url);
  closing.searchParams.set('digest', digestOf(bytes));
  await exchange(closing, { agent, method: 'PUT' }, 201, bytes);
}

async function putManifest({ peer, agent }: Subject, tag: string, bytes: Buffer, repository = 'bench'): Promise<void> {
  const headers = { 'content-type': imageType };
  await exchange(`${peer.url}/v2/${repository}/manifests/${tag}`, { agent, method: 'PUT', headers }, 201, bytes);
}

/** One request; resolves when the whole answer has arrived. */
function exchange(url: string | URL, options: RequestOptions, wanted: number, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const more = options.headers as Record<string, string> | undefined;
    const headers = { authorization, 'content-length': String(body?.length ?? 0), ...more };
    const sent = request(url, { ...options, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        if (answer.statusCode === wanted) resolve(answer);
        else reject(new Error(`${options.method ?? 'GET'} ${String(url)}: ${String(answer.statusCode)}`));
      });
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
