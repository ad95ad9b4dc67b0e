import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fail } from '../domain/failure.ts';
import type { Cli } from './cli.ts';
import { readHidden } from './read-hidden.ts';

/** Where a secret that a command takes may come from. */
export interface SecretInput {
  /** What it is, for people: `the git token`. */
  readonly what: string;
  /** `--git-access-token` */
  readonly flag: string;
  /** What the flag gave; `-` is stdin. */
  readonly given: string | undefined;
  /** What the flag with `-file` behind it gave; `-` is stdin. */
  readonly file: string | undefined;
}

function withoutLineEnd(value: string): string {
  return value.replace(/\r?\n$/, '');
}

async function readStdin({ io }: Cli, { what, flag }: SecretInput): Promise<string> {
  if (io.stdin.isTTY === true) return readHidden(io, `${what[0]?.toUpperCase() ?? ''}${what.slice(1)}: `);
  const value = withoutLineEnd(await text(io.stdin));
  if (value !== '') return value;
  throw fail('invalid-request', `${what} on stdin is empty`, { field: flag });
}

async function readSecretFile({ io }: Cli, { what, flag }: SecretInput, file: string): Promise<string> {
  const content = await readFile(resolve(io.cwd, file), 'utf8').catch((cause: unknown) => {
    throw fail('invalid-request', `${file} cannot be read`, { field: `${flag}-file`, cause });
  });
  const value = withoutLineEnd(content);
  if (value !== '') return value;
  throw fail('invalid-request', `${what} in ${file} is empty`, { field: `${flag}-file` });
}

/**
 * Reads a secret from stdin (`-`, typed unseen on a terminal), from a file, or from the command line, which az has and which gets a
 * warning. Undefined when no flag names one. Throws `invalid-request` for both flags together, and for an empty one.
 */
export async function readSecretInput(cli: Cli, input: SecretInput): Promise<string | undefined> {
  const { what, flag, given, file } = input;
  if (given !== undefined && file !== undefined)
    throw fail('invalid-request', `${flag} and ${flag}-file exclude each other`, { field: flag });
  if (given === '-' || file === '-') return readStdin(cli, input);
  if (file !== undefined) return readSecretFile(cli, input, file);
  if (given === undefined) return undefined;
  if (given === '') throw fail('invalid-request', `${what} is empty`, { field: flag });
  const safer = `${flag} - reads it from stdin, ${flag}-file FILE from a file`;
  cli.screen.note(`warning: a command line is seen by everybody who can list processes; ${safer}`);
  return given;
}
