import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What the kernel takes as the path of a socket (unix(7): 108 bytes, the last one zero). */
export const maxPathBytes = 107;

/** Several installations may share a directory, and number their runs alike. */
function prefixOf(installation: string): string {
  return `${createHash('sha256').update(installation).digest('hex').slice(0, 8)}-`;
}

/** Whose socket it is. */
export interface SocketOwner {
  readonly installation: string;
  readonly runId: string;
  readonly attempt: number;
}

/** The file of a run's engine socket. */
export function socketPathOf(directory: string, { installation, runId, attempt }: SocketOwner): string {
  return join(directory, `${prefixOf(installation)}${runId}.${attempt}`);
}

/** Removes the sockets that workers left whose runs are over. A directory that is not there has none. */
export async function sweepSockets(
  directory: string,
  { installation, liveRuns }: { readonly installation: string; readonly liveRuns: Pick<ReadonlySet<string>, 'has'> },
): Promise<void> {
  const prefix = prefixOf(installation);
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const runId = name.slice(prefix.length).replace(/\.\d+$/, '');
    if (!liveRuns.has(runId)) await rm(join(directory, name), { force: true });
  }
}
