import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fail } from '../domain/failure.ts';
import type { CliIo } from './io.ts';

/**
 * Asks on a terminal whether something is to be done; anything but yes is no.
 * @throws `invalid-request` where there is no terminal to ask on, naming the flag that says yes.
 */
export async function confirm({ stdin, stderr }: CliIo, question: string): Promise<boolean> {
  if (stdin.isTTY !== true) {
    const hint = 'there is no terminal to ask on; -y says yes';
    throw fail('invalid-request', `this must be confirmed: ${question}`, { field: '--yes', hint });
  }
  const lines = createInterface({ input: stdin, terminal: false });
  stderr.write(`${question} [y/N] `);
  try {
    const line = once(lines, 'line').then(([text]) => String(text));
    const answer = await Promise.race([line, once(lines, 'close').then(() => '')]);
    return /^\s*y(?:es)?\s*$/i.test(answer);
  } finally {
    lines.close();
  }
}
