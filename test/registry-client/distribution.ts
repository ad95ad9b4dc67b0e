import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `bot` with the password `pa55word`, as `htpasswd -B` writes it. */
const passwords = 'bot:$2y$04$gwRBUYrAjI/89rtTDYLFrOEDL9doIAvBmAvAcFVUCY6QLeYJT9nqC\n';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function waitFor(host: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (
      await fetch(`http://${host}/v2/`).then(
        () => true,
        () => false,
      )
    )
      return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error('docker-registry did not start: is the Debian package installed?');
}

/** Starts Debian's docker-registry (Distribution 2.8); with `wantsPassword` only `bot` may use it. */
export async function startDistribution(wantsPassword: boolean) {
  const directory = await mkdtemp(join(tmpdir(), 'distribution-'));
  const host = `127.0.0.1:${String(await freePort())}`;
  const auth = { auth: { htpasswd: { realm: 'test', path: join(directory, 'passwords') } } };
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    http: { addr: host, secret: 'test' },
    ...(wantsPassword && auth),
  };
  await writeFile(join(directory, 'passwords'), passwords);
  // JSON is YAML.
  await writeFile(join(directory, 'config.yml'), JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
  await waitFor(host);
  const stop = async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  return { host, stop };
}
