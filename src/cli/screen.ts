import { once } from 'node:events';
import pico from 'picocolors';
import { FailureError, type Failure } from '../domain/failure.ts';
import type { CliIo, CliOutput } from './io.ts';

export type Colors = ReturnType<typeof pico.createColors>;

/** What the global options say of the output. */
export interface ScreenOptions {
  readonly json: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
}

/** The two outputs of a command: results go to stdout, everything else to stderr. */
export interface Screen {
  readonly json: boolean;
  readonly colors: Colors;
  readonly hasColors: boolean;
  /** Where {@link print} writes, when that is a terminal on which the cursor can be moved. */
  readonly terminal: CliOutput | undefined;
  /** A line for people on stdout, or on stderr with `--json`; waits for a slow reader. */
  readonly print: (line: string) => Promise<void>;
  /** A line for people on stderr. */
  readonly note: (line: string) => void;
  /** The machine-readable result on stdout with `--json`; without it, nothing. */
  readonly result: (value: unknown) => Promise<void>;
}

async function writeLine(output: CliOutput, text: string): Promise<void> {
  if (output.write(`${text}\n`) || !output.writable) return;
  await Promise.race([once(output, 'drain'), once(output, 'close')]);
}

/** Colours are for terminals, and for those who did not say no (NO_COLOR, https://no-color.org). */
function wantsColors(io: CliIo, output: CliOutput, color: boolean): boolean {
  const isRefused = (io.env['NO_COLOR'] ?? '') !== '' || io.env['TERM'] === 'dumb';
  return color && output.isTTY === true && !isRefused;
}

function isLively(io: CliIo, output: CliOutput): boolean {
  return output.isTTY === true && io.env['TERM'] !== 'dumb';
}

/** Makes the outputs of one command. */
export function createScreen(io: CliIo, { json, color }: ScreenOptions): Screen {
  const people = json ? io.stderr : io.stdout;
  const hasColors = wantsColors(io, people, color);
  return {
    json,
    hasColors,
    terminal: isLively(io, people) ? people : undefined,
    colors: pico.createColors(hasColors),
    print: (line) => writeLine(people, line),
    note: (line) => void io.stderr.write(`${line}\n`),
    result: async (value) => {
      if (json) await writeLine(io.stdout, JSON.stringify(value, null, 2));
    },
  };
}

/** What is said of anything thrown: a failure of ours as it is, of anything else its message. */
export function describeError(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return { reason: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** Writes an error to stderr: `error: …` with its details and a hint, or with `json` one document. */
export function reportFailure(io: CliIo, failure: Failure, options: ScreenOptions): void {
  if (options.json) {
    io.stderr.write(`${JSON.stringify({ error: failure }, null, 2)}\n`);
    return;
  }
  const colors = pico.createColors(wantsColors(io, io.stderr, options.color));
  const lines = [`${colors.red('error:')} ${failure.message}`];
  const details = failure.details ?? [];
  if (details.length > 1) lines.push(...details.map(({ message }) => `  - ${message}`));
  if (failure.hint !== undefined) lines.push(`${colors.dim('hint:')} ${failure.hint}`);
  io.stderr.write(`${lines.join('\n')}\n`);
}
