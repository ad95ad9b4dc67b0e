import { columnsOf, type CliOutput } from './io.ts';

/** One line of a terminal that is written over again and again; nothing at all where there is no terminal. */
export interface ProgressLine {
  readonly isShown: boolean;
  update(text: string): void;
  /** Removes the line; what is printed next stands in its place. */
  clear(): void;
}

const paceMs = 80;
const eraseLine = '\r\u001b[2K';

/** Makes a progress line on `output`; `now` gives milliseconds. */
export function createProgressLine(output: CliOutput, now: () => number): ProgressLine {
  const isShown = output.isTTY === true;
  let shownAt = -Infinity;
  let isDirty = false;
  return {
    isShown,
    update(text) {
      if (!isShown || now() - shownAt < paceMs) return;
      shownAt = now();
      isDirty = true;
      output.write(`${eraseLine}${text.slice(0, Math.max(10, columnsOf(output, 80) - 1))}`);
    },
    clear() {
      if (isDirty) output.write(eraseLine);
      isDirty = false;
      shownAt = -Infinity;
    },
  };
}
