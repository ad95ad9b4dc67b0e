import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../domain/clock.ts';

/** Where the CLI writes: a terminal, a pipe, a file. */
export type CliOutput = Writable & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

/** Characters in a line; `fallback` where there is no terminal, or one that does not say (a size of 0). */
export function columnsOf({ columns = 0 }: CliOutput, fallback: number): number {
  return columns > 0 ? columns : fallback;
}

/** Lines of a terminal; 24 where it does not say. */
export function rowsOf({ rows = 0 }: CliOutput): number {
  return rows > 0 ? rows : 24;
}

/** Everything that the CLI touches outside itself, handed in so that tests own it. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path that relative paths start from. */
  readonly cwd: string;
  readonly clock: Clock;
  /** Calls `listener` on Ctrl-C instead of ending the process, until the returned function is called. A second Ctrl-C ends it. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** Exit code of a program that Ctrl-C ended, as shells have it: 128 + SIGINT. */
export const interruptedCode = 130;

/**
 * Runs `work` with a signal that aborts on Ctrl-C; afterwards Ctrl-C ends the process again.
 * @returns what `work` returned.
 */
export async function withInterrupt<T>(io: CliIo, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopper = new AbortController();
  const release = io.onInterrupt(() => stopper.abort());
  try {
    return await work(stopper.signal);
  } finally {
    release();
  }
}
