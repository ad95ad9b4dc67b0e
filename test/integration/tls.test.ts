import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, get, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openListener } from '../../src/compose/listener.ts';
import { readConfig } from '../../src/config.ts';
import { makeCertificate, ownFilesIn } from '../../src/tls/own-files.ts';
import { fetchCertificate } from '../../src/tls/remote.ts';
import { trustInstallation } from '../../src/tls/trust.ts';
import { createLogger } from '../../src/logger.ts';
import { startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { eventually } from '../rig/installation.ts';

const execute = promisify(execFile);
const clock = { now: () => Date.now() };
const names = ['localhost', '127.0.0.1'];

let folder: string;
let registry: RunningRegistry;
let server: Server;
let port: number;

/** The listener of `src/main.ts`, in front of a real registry and an API of one answer. */
async function open(more: Readonly<Record<string, string>> = {}): Promise<Server> {
  const env = { SLIPWAY_DATA: folder, SLIPWAY_PORT: '0', SLIPWAY_TLS: 'auto', ...more };
  const config = { ...readConfig(env), logLevel: 'silent' as const };
  const logger = createLogger(config, 'test');
  const opened = await openListener({ config, clock, logger }, registry.registry, (_, response) => response.end('api'));
  port = (opened.address() as AddressInfo).port;
  return opened;
}

function close(opened: Server): void {
  opened.closeAllConnections();
  opened.close();
}

const files = () => ownFilesIn(join(folder, 'tls'));

/** What `openssl s_client` says of a handshake; rejects when there is none. */
async function shakeHands(...options: string[]): Promise<string> {
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', files().caFile, '-verify_return_error'];
  const child = spawn('openssl', [...args, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, faults, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  if (code !== 0) throw new Error(faults);
  return output;
}

/** The status of a GET; a kept connection where the agent keeps them. */
function ask(options: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = get({ host: '127.0.0.1', port, path: '/x', ...options }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once('error', reject);
  });
}

async function fingerprint(): Promise<string> {
  return (await fetchCertificate(new URL(`https://127.0.0.1:${port}`))).leaf.fingerprint256;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-tls-'));
  registry = await startRegistry();
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => close(server));

describe('the listener over TLS', () => {
  it('speaks TLS 1.2 and 1.3 and nothing older, with a certificate that openssl verifies', async () => {
    server = await open();
    for (const version of ['1.2', '1.3']) {
      const output = await shakeHands(
        `-tls${version.replace('.', '_')}`,
        '-alpn',
        'h2,http/1.1',
        '-verify_ip',
        '127.0.0.1',
      );
      expect(output).toContain(`New, TLSv${version}, Cipher is `);
      expect(output).toContain('Verify return code: 0 (ok)');
      expect(output).toContain('ALPN protocol: http/1.1');
    }
    for (const version of ['-tls1', '-tls1_1'])
      await expect(shakeHands(version, '-cipher', 'ALL:@SECLEVEL=0')).rejects.toThrow(/alert protocol version/);
  });

  it('serves API and registry to curl that trusts its authority, and to no other', async () => {
    server = await open();
    const curl = (...args: string[]) => execute('curl', ['-sS', ...args]);
    const url = `https://127.0.0.1:${port}`;
    expect(await curl('--cacert', files().caFile, `${url}/x`)).toMatchObject({ stdout: 'api' });
    const { stdout } = await curl('--cacert', files().caFile, '-i', '-u', 'admin:secret', `${url}/v2/`);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK/);
    await expect(curl(`${url}/x`)).rejects.toThrow(/certificate/i);
  });

  it('takes and gives an image by skopeo', async () => {
    server = await open();
    await registry.pushImage('app', 'v1');
    const certificates = join(folder, 'certs.d');
    await mkdir(certificates, { recursive: true });
    await copyFile(files().caFile, join(certificates, 'ca.crt'));
    const [app, copy, away] = ['app:v1', 'copy:v1', `dir:${join(folder, 'away')}`];
    const at = (name: string): string => `docker://localhost:${port}/${name}`;
    const login = (which: string) => [`--${which}-cert-dir`, certificates, `--${which}-creds`, 'admin:secret'];
    await execute('skopeo', ['copy', '--preserve-digests', ...login('src'), ...login('dest'), at(app), at(copy)]);
    await execute('skopeo', ['copy', ...login('src'), at(copy), away]);
    const before = await registry.send('GET', '/v2/app/manifests/v1');
    expect(await readFile(join(folder, 'away', 'manifest.json'), 'utf8')).toBe(await before.text());
    await expect(execute('skopeo', ['copy', '--src-creds', 'admin:secret', at(copy), away])).rejects.toThrow(/x509/);
  });

  it('answers "Expect: 100-continue" before the body is sent, also over TLS', async () => {
    server = await open();
    const body = join(folder, 'body');
    await writeFile(body, Buffer.alloc(3_000_000, 'x'));
    const url = `https://127.0.0.1:${port}/v2/app/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`;
    const args = ['-sS', '--cacert', files().caFile, '-w', '%{http_code} %{size_upload}', '-o', '/dev/null'];
    const post = [
      '-X',
      'POST',
      '-H',
      'Expect: 100-continue',
      '--expect100-timeout',
      '10',
      '--data-binary',
      `@${body}`,
      url,
    ];
    expect((await execute('curl', [...args, ...post])).stdout).toBe('401 0');
    expect((await execute('curl', [...args, '-u', 'admin:secret', ...post])).stdout).toMatch(/^400 3000000$/);
  });

  it('takes a new certificate over while requests go on, and fails none of them', async () => {
    server = await open();
    const first = await fingerprint();
    const ca = await readFile(files().caFile);
    const kept = new Agent({ keepAlive: true, maxSockets: 4 });
    const statuses: number[] = [];
    const work = async (agent: Agent | false): Promise<void> => {
      for (let count = 0; count < 100; count += 1) statuses.push(await ask({ ca, agent }));
    };
    const requests = Promise.all([work(kept), work(false)]);
    await eventually('the first requests', 5000, async () => statuses.length > 20 || undefined);
    for (let count = 0; count < 3; count += 1)
      await makeCertificate(join(folder, 'tls'), { names, days: 90, now: Date.now() });
    await eventually('the new certificate', 5000, async () => (await fingerprint()) !== first || undefined);
    await requests;
    kept.destroy();
    expect(statuses).toEqual(Array.from({ length: 200 }, () => 200));
  });

  it('keeps the old certificate when the new one is broken, and takes the mended one on SIGHUP', async () => {
    server = await open();
    const before = await fingerprint();
    const { certFile, keyFile } = files();
    await writeFile(certFile, 'broken');
    process.emit('SIGHUP', 'SIGHUP');
    expect(await fingerprint()).toBe(before);
    await makeCertificate(folder, { names, days: 90, now: Date.now() });
    const other = ownFilesIn(folder);
    await copyFile(other.keyFile, keyFile);
    await copyFile(other.certFile, certFile);
    process.emit('SIGHUP', 'SIGHUP');
    await eventually('the mended certificate', 5000, async () => (await fingerprint()) !== before || undefined);
  });

  it('does not start with a certificate that has expired, and says so', async () => {
    server = await open({ SLIPWAY_TLS: 'off' });
    const directory = join(folder, 'old');
    await makeCertificate(directory, { names, days: 1, now: Date.now() - 3 * 86_400_000 });
    const { certFile, keyFile } = ownFilesIn(directory);
    const opening = open({ SLIPWAY_TLS: 'on', SLIPWAY_TLS_CERT: certFile, SLIPWAY_TLS_KEY: keyFile });
    await expect(opening).rejects.toThrow(/old\/server\.crt holds a certificate that expired on/);
  });

  it('refuses by its network rules over TLS as well', async () => {
    server = await open({ SLIPWAY_ALLOW_IPS: '10.0.0.0/8' });
    const url = `https://127.0.0.1:${port}/v2/`;
    const { stdout } = await execute('curl', ['-sS', '--cacert', files().caFile, url]);
    expect(JSON.parse(stdout)).toMatchObject({ errors: [{ code: 'DENIED' }] });
  });
});

describe('a process of ours', () => {
  it('trusts the authority of the installation, also one that comes later, by every client that it has', async () => {
    const directory = await mkdtemp(join(folder, 'later-'));
    trustInstallation({ caFile: undefined, tlsDirectory: join(directory, 'tls') });
    server = await open({ SLIPWAY_DATA: directory });
    const url = `https://127.0.0.1:${port}/x`;
    expect(await (await fetch(url)).text()).toBe('api');
    expect(await ask({ agent: false })).toBe(200);
    const elsewhere = await fetchCertificate(new URL(url));
    expect([elsewhere.fault, elsewhere.protocol]).toEqual([undefined, 'TLSv1.3']);
  });

  it('does not trust others, and says which file it cannot read', async () => {
    server = await open({ SLIPWAY_DATA: await mkdtemp(join(folder, 'strange-')) });
    await expect(fetch(`https://127.0.0.1:${port}/x`)).rejects.toThrow('fetch failed');
    const settings = { caFile: join(folder, 'none.crt'), tlsDirectory: folder };
    expect(() => trustInstallation(settings)).toThrow(/SLIPWAY_CA_FILE: .*none\.crt cannot be read as certificates/);
  });
});
