import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `sun_path` of unix(7) holds 108 bytes with its closing zero; the longest name that an engine puts below is this. */
const longestName = 45;
const longestPath = 107;

/**
 * A directory for unix sockets that belong to a data directory: `DATA/NAME` itself, or, where that is too long for a
 * socket's address, a short one under the system's temporary directory that is derived from it (mode 0700).
 */
export function socketDirectory(dataDir: string, name: string): string {
  const direct = join(dataDir, name);
  const hash = createHash('sha256').update(direct).digest('hex').slice(0, 12);
  const isShort = Buffer.byteLength(direct) + 1 + longestName <= longestPath;
  const directory = isShort ? direct : join(tmpdir(), `slipway-${hash}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}
