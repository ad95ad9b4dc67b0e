import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `slipway up` writes down, so that `slipway down` finds it with whatever environment it is called. */
export interface HostMemory {
  readonly url: string;
  readonly registryHost: string;
  /** The label of what is on the engine. */
  readonly label: string;
  readonly engineHost: string;
  readonly isEnginePrivate: boolean;
  readonly redisUrl: string;
  readonly redisPrefix: string;
  readonly isRedisPrivate: boolean;
  /** It was started with a certificate of our own making; missing in what earlier versions wrote. */
  readonly hasOwnTls?: boolean;
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'run', 'host.json');
}

/** Writes it down; the URL of Redis may hold a password, so that only this user may read it. */
export function writeMemory(dataDir: string, memory: HostMemory): void {
  mkdirSync(join(dataDir, 'run'), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(dataDir), `${JSON.stringify(memory, null, 2)}\n`, { mode: 0o600 });
}

/** What was written down last; undefined when nothing was. */
export function readMemory(dataDir: string): HostMemory | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as HostMemory;
  } catch {
    return undefined;
  }
}
