import { readFile } from 'node:fs/promises';
import { fail } from '../domain/failure.ts';
import type { GivenSecret } from '../domain/vaults.ts';

/** The value of a credential that an operator gave. Throws `unsupported` naming the file when it cannot be read or is empty. */
export async function readGiven(given: GivenSecret): Promise<string> {
  if ('value' in given) return given.value;
  const text = await readFile(given.file, 'utf8').catch((cause: unknown) => {
    throw fail('unsupported', `the credential file ${given.file} cannot be read`, { cause });
  });
  if (text.trim() !== '') return text.trim();
  throw fail('unsupported', `the credential file ${given.file} is empty`);
}
