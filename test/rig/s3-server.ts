import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { connectS3, type S3Settings } from '../../src/blob/s3/client.ts';

/** An object store of the test's own: Ceph's gateway, with a monitor and one storage daemon that keeps all in memory. */
export interface S3Server {
  /** Good for as long as the server is not disposed of, also across a restart. */
  readonly settings: Required<Pick<S3Settings, 'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey'>>;
  /** Makes a bucket, and resolves to its name. */
  newBucket(): Promise<string>;
  /** Kills the gateway; what it holds stays. */
  kill(): Promise<void>;
  /** Starts the gateway again. */
  start(): Promise<void>;
  /** The gateway stands still, with its connections open, until the returned function is called. */
  freeze(): () => void;
  /** Ends everything and removes its directory. */
  dispose(): Promise<void>;
}

const startTimeoutMs = 30_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a socket without a port');
  return address.port;
}

function settingsFile(directory: string, cluster: string, ports: { monitor: number; gateway: number }): string {
  return `[global]
fsid = ${cluster}
mon host = v2:127.0.0.1:${String(ports.monitor)}
mon initial members = a
mon data = ${directory}/mon
mon data avail crit = 0
mon allow pool size one = true
paxos propose interval = 0.02
auth cluster required = none
auth service required = none
auth client required = none
ms bind msgr1 = false
ms mon client mode = crc
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${directory}
admin socket = ${directory}/$name.$pid.asok
log file = ${directory}/$name.log
mon cluster log file = ${directory}/cluster.log
keyring = ${directory}/keyring
osd data = ${directory}/osd
osd objectstore = memstore
osd client watch timeout = 2
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
memstore device bytes = 4294967296
rgw data = ${directory}/gateway
rgw frontends = beast endpoint=127.0.0.1:${String(ports.gateway)} tcp_nodelay=1
rgw rados pool pg num min = 1
rgw run sync thread = false
`;
}

/** Runs one of Ceph's tools to its end; rejects with what it said, or with what to install. */
async function runTool(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close').catch((cause: unknown) => {
    throw new Error('these tests need Ceph: install the packages radosgw, ceph-mon and ceph-osd', { cause });
  })) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}: ${said}`);
}

async function isAnswering(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    async (answer) => (await answer.text(), answer.ok),
    () => false,
  );
}

/** The daemons of one cluster, in one directory. */
class Cluster {
  readonly endpoint: string;
  readonly #directory: string;
  readonly #config: string[];
  readonly #daemons = new Map<string, ChildProcess>();

  constructor(directory: string, gateway: number) {
    this.endpoint = `http://127.0.0.1:${String(gateway)}`;
    this.#directory = directory;
    this.#config = ['-c', join(directory, 'ceph.conf')];
  }

  async make(user: { readonly accessKeyId: string; readonly secretAccessKey: string }, monitor: number): Promise<void> {
    const [cluster, disk, map] = [randomUUID(), randomUUID(), join(this.#directory, 'monmap')];
    const gateway = Number(new URL(this.endpoint).port);
    for (const name of ['mon', 'osd', 'gateway']) await mkdir(join(this.#directory, name));
    await writeFile(join(this.#directory, 'ceph.conf'), settingsFile(this.#directory, cluster, { monitor, gateway }));
    const address = `[v2:127.0.0.1:${String(monitor)}/0]`;
    await this.#run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', address, map]);
    await this.#run('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', map]);
    this.#launch('ceph-mon', ['-i', 'a']);
    await this.#run('ceph', ['--connect-timeout', '20', 'osd', 'new', disk]);
    await this.#run('ceph-osd', ['--mkfs', '-i', '0', '--osd-uuid', disk]);
    this.#launch('ceph-osd', ['-i', '0']);
    const keys = [`--access-key=${user.accessKeyId}`, `--secret-key=${user.secretAccessKey}`];
    await this.#run('radosgw-admin', ['user', 'create', '--uid=test', '--display-name=test', ...keys]);
  }

  async startGateway(): Promise<void> {
    const gateway = this.#launch('radosgw', ['-n', 'client.admin']);
    const deadline = Date.now() + startTimeoutMs;
    while (!(await isAnswering(this.endpoint))) {
      if (gateway.exitCode !== null) throw new Error(`radosgw ended with exit code ${String(gateway.exitCode)}`);
      if (Date.now() > deadline) throw new Error('radosgw did not answer in time');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(program: string, name: NodeJS.Signals): void {
    this.#daemons.get(program)?.kill(name);
  }

  async kill(program: string): Promise<void> {
    const daemon = this.#daemons.get(program);
    this.#daemons.delete(program);
    if (daemon?.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  }

  async dispose(): Promise<void> {
    for (const program of [...this.#daemons.keys()]) await this.kill(program);
    await rm(this.#directory, { recursive: true, force: true });
  }

  #run(program: string, args: readonly string[]): Promise<void> {
    return runTool(program, [...args, ...this.#config]);
  }

  #launch(program: string, args: readonly string[]): ChildProcess {
    const daemon = spawn(program, ['-f', ...args, ...this.#config], { stdio: 'ignore' });
    daemon.once('error', () => undefined); // the tool that was run before would have told
    // A test that timed out does not get to dispose.
    process.once('exit', () => daemon.kill('SIGKILL'));
    this.#daemons.set(program, daemon);
    return daemon;
  }
}

/** Starts an object store on loopback. Rejects with what to install when there is none. */
export async function startS3(): Promise<S3Server> {
  const cluster = new Cluster(await mkdtemp(join(tmpdir(), 'slipway-s3-')), await freePort());
  const user = { accessKeyId: `AK${randomUUID()}`, secretAccessKey: randomUUID() };
  const settings = { endpoint: cluster.endpoint, region: 'default', ...user };
  try {
    await cluster.make(user, await freePort());
    await cluster.startGateway();
  } catch (error) {
    await cluster.dispose();
    throw error;
  }
  return {
    settings,
    async newBucket() {
      const name = `test-${randomUUID()}`;
      const client = connectS3({ ...settings, bucket: name });
      await client.send(new CreateBucketCommand({ Bucket: name }));
      client.destroy();
      return name;
    },
    kill: () => cluster.kill('radosgw'),
    start: () => cluster.startGateway(),
    freeze() {
      cluster.signal('radosgw', 'SIGSTOP');
      return () => cluster.signal('radosgw', 'SIGCONT');
    },
    dispose: () => cluster.dispose(),
  };
}
