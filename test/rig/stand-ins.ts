import { realpathSync } from 'node:fs';
import { request, type RequestOptions } from 'node:http';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { locateShellPrograms, type BaseImage } from '../../src/host/base-image.ts';
import { createCommands } from '../../src/host/commands.ts';
import { parseEngineHost } from '../../src/host/engine-probe.ts';
import { collectPrograms, collectTree, commonEntries, packRootFs, type RootEntry } from '../../src/host/root-fs.ts';

/** Node.js with npm out of this machine's own programs, whatever else the engine has under the public name. */
export const nodeStandIn = 'slipway-rig/node:20';

/** The engine's client with a shell, as the image `docker:cli` has them. */
export const dockerStandIn = 'slipway-rig/docker:cli';

const commands = createCommands();
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const path = 'ENV PATH=/usr/local/bin:/usr/bin:/bin';

/** The path of a program of this machine. */
export function locate(program: string): string {
  const found = commands.find(program);
  if (found === undefined) throw new Error(`${program} is not installed; npm test installs it`);
  return found;
}

/** A root file system with busybox and its programs; `others`: more of this machine's programs (place → source). */
export async function collectBusybox(others: Readonly<Record<string, string>> = {}): Promise<readonly RootEntry[]> {
  const { stdout } = await commands.run(locate('busybox'), ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  const links = applets.map((name): RootEntry => ({ kind: 'link', path: `/bin/${name}`, target: 'busybox' }));
  const programs = await collectPrograms(commands, { '/bin/busybox': locate('busybox'), ...others });
  return [...commonEntries(), ...programs, ...links];
}

async function createBusybox(): Promise<BaseImage> {
  return { tar: packRootFs(await collectBusybox()), changes: ['ENV PATH=/bin', 'CMD ["sh"]'] };
}

async function createDocker(): Promise<BaseImage> {
  const entries = await collectBusybox({ '/usr/local/bin/docker': locate('docker') });
  return { tar: packRootFs(entries), changes: [path, 'ENTRYPOINT ["docker"]', 'CMD ["version"]'] };
}

async function createNode(): Promise<BaseImage> {
  const npm = dirname(dirname(realpathSync(join(dirname(process.execPath), 'npm'))));
  const links = ['npm', 'npx'].map((name): RootEntry => {
    return { kind: 'link', path: `/usr/local/bin/${name}`, target: `../lib/node_modules/npm/bin/${name}-cli.js` };
  });
  const programs = { '/usr/local/bin/node': process.execPath, ...locateShellPrograms(commands) };
  const tree = collectTree(npm, '/usr/local/lib/node_modules/npm');
  const entries = [...commonEntries(), ...(await collectPrograms(commands, programs)), ...tree, ...links];
  // Behind a proxy with a certificate of its own, npm needs the machine's certificates.
  return { tar: packRootFs(entries), changes: [path, `ENV NODE_EXTRA_CA_CERTS=${certificates}`, 'CMD ["node"]'] };
}

async function createRedis(): Promise<BaseImage> {
  const own = {
    '/usr/local/bin/redis-server': locate('redis-server'),
    '/usr/local/bin/redis-cli': locate('redis-cli'),
  };
  const programs = await collectPrograms(commands, { ...own, ...locateShellPrograms(commands) });
  const entries: RootEntry[] = [...commonEntries(), ...programs, { kind: 'directory', path: '/data' }];
  const command = 'CMD ["redis-server", "--protected-mode", "no"]';
  return { tar: packRootFs(entries), changes: [path, 'VOLUME /data', 'WORKDIR /data', 'EXPOSE 6379', command] };
}

const standIns: Readonly<Record<string, () => Promise<BaseImage>>> = {
  'busybox:latest': createBusybox,
  'node:20-alpine': createNode,
  'redis:7-alpine': createRedis,
  [nodeStandIn]: createNode,
  [dockerStandIn]: createDocker,
};

/** One call of the Engine API at `host`; rejects only when the engine cannot be reached or the body breaks off. */
export function callEngine(
  host: string,
  { body, ...call }: RequestOptions & { readonly body?: Readable },
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = { ...parseEngineHost(host), headers: { host: 'docker' }, agent: false, ...call };
    const outgoing = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    if (body === undefined) {
      outgoing.end();
    } else {
      body.on('error', (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    }
  });
}

async function hasImage(host: string, image: string): Promise<boolean> {
  return (await callEngine(host, { path: `/images/${image}/json` })).status === 200;
}

async function importImage(host: string, image: string, { tar, changes }: BaseImage): Promise<void> {
  const [repo = '', tag = ''] = image.split(':');
  const query = new URLSearchParams({ fromSrc: '-', repo, tag });
  for (const change of changes) query.append('changes', change);
  const answer = await callEngine(host, { method: 'POST', path: `/images/create?${query.toString()}`, body: tar });
  if (answer.status !== 200 || answer.text.includes('"error"')) throw new Error(`${image}: ${answer.text}`);
}

/**
 * Makes those of the images (by default what tests build on) that the engine lacks, out of this machine's own programs.
 * @returns removes what was made.
 */
export async function ensureStandIns(
  host: string,
  images: Readonly<Record<string, () => Promise<BaseImage>>> = standIns,
): Promise<() => Promise<void>> {
  const made: string[] = [];
  for (const [image, create] of Object.entries(images)) {
    if (await hasImage(host, image)) continue;
    await importImage(host, image, await create());
    made.push(image);
  }
  return async () => {
    for (const image of made) await callEngine(host, { method: 'DELETE', path: `/images/${image}?force=1` });
  };
}
