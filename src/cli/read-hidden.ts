import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import type { CliIo } from './io.ts';

/**
 * Asks for a line on a terminal and does not show what is typed.
 * @throws `invalid-request` when it is ended without a line (Ctrl-C, Ctrl-D).
 */
export async function readHidden({ stdin, stderr }: CliIo, question: string): Promise<string> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  stderr.write(question);
  try {
    const line = once(lines, 'line').then(([text]) => String(text));
    const end = Promise.race([once(lines, 'close'), once(lines, 'SIGINT')]).then(() => undefined);
    const given = await Promise.race([line, end]);
    if (given !== undefined) return given;
    throw fail('invalid-request', 'nothing was entered');
  } finally {
    lines.close();
    stderr.write('\n');
  }
}
