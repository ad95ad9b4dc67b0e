import { stripVTControlCharacters } from 'node:util';
import { columnsOf, type CliOutput } from './io.ts';

/** Lines at the bottom of a terminal. */
export interface LiveBlock {
  /** Takes them away; what is printed next stands in their place. */
  erase(): void;
  /** Puts these in the place of those that are there. */
  draw(lines: readonly string[]): void;
}

/** Makes lines at the bottom of a terminal that can be taken away again, also when it has become narrower since. */
export function createBlock(terminal: CliOutput): LiveBlock {
  let shown: readonly number[] = [];
  const block = {
    erase: () => {
      const columns = columnsOf(terminal, 80);
      const rows = shown.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0);
      if (rows > 0) terminal.write(`\r\u001b[${rows}A\u001b[J`);
      shown = [];
    },
    draw: (lines: readonly string[]) => {
      block.erase();
      shown = lines.map((line) => stripVTControlCharacters(line).length);
      terminal.write(lines.map((line) => `${line}\n`).join(''));
    },
  };
  return block;
}

/** Cut to the width, so that no line takes two rows; a line that is cut loses its colours. */
export function fit(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length < columns ? line : plain.slice(0, Math.max(1, columns - 1));
}
