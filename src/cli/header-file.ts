import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fail } from '../domain/failure.ts';
import type { Cli } from './cli.ts';

/** Reads what a flag names: a file, or stdin for `-`. Throws `invalid-request` that names the flag. */
export async function readGiven({ io }: Cli, file: string, flag: string): Promise<string> {
  if (file === '-') return text(io.stdin);
  return readFile(resolve(io.cwd, file), 'utf8').catch((cause: unknown) => {
    throw fail('invalid-request', `${file} cannot be read`, { field: flag, cause });
  });
}

/** Lines `Name: value` of --header-file; empty ones and those that begin with # are left out. Throws `invalid-request`, and shows no value. */
export function parseHeaders(lines: string): Record<string, string> {
  const wanted = lines.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    wanted.map((line, index) => {
      const [, name, value] = /^([^:\s]+):\s*(.*?)\s*$/.exec(line) ?? [];
      if (name === undefined || value === undefined)
        throw fail('invalid-request', `header ${index + 1} of --header-file is no "Name: value"`, {
          field: '--header-file',
        });
      return [name, value];
    }),
  );
}
