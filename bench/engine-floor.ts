import { Readable } from 'node:stream';
import type { Account } from '../src/secret/account.ts';
import { callEngine } from '../test/rig/stand-ins.ts';

/** The engine's own API, with nothing of ours in between. */
export interface EngineFloor {
  /** Builds `context` as `image` with BuildKit; resolves with what the engine wrote. */
  build(context: Buffer, image: string, query?: Readonly<Record<string, string>>): Promise<string>;
  push(image: string): Promise<void>;
}

function refuse(what: string, { status, text }: { status: number; text: string }): string {
  if (status !== 200 || text.includes('"error"')) throw new Error(`${what}: ${status} ${text.slice(-500)}`);
  return text;
}

export function createEngineFloor(host: string, account: Account): EngineFloor {
  // The engine takes it with its padding alone.
  const auth = Buffer.from(JSON.stringify(account)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
  return {
    async build(context, image, query = {}) {
      const path = `/build?${new URLSearchParams({ version: '2', t: image, ...query }).toString()}`;
      const headers = { host: 'docker', 'content-type': 'application/x-tar', 'content-length': context.length };
      return refuse('build', await callEngine(host, { method: 'POST', path, headers, body: Readable.from([context]) }));
    },
    async push(image) {
      const [name, tag] = [image.slice(0, image.lastIndexOf(':')), image.slice(image.lastIndexOf(':') + 1)];
      const headers = { host: 'docker', 'x-registry-auth': auth };
      const path = `/images/${name}/push?tag=${tag}`;
      refuse('push', await callEngine(host, { method: 'POST', path, headers }));
    },
  };
}
