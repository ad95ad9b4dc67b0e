/** A text made out of the file's lines, with the number of the line that each of its own lines came from. */
export interface MappedText {
  readonly text: string;
  /** Line of the file, from 1, for each line of `text`. */
  readonly origins: readonly number[];
}

const comment = /^\s*#/;

/**
 * The file as the language sees it: without a byte order mark, with `\n` as the line end, and without the lines whose first
 * visible character is `#`, wherever they stand, also inside block scalars (acr-tasks.md §1.0).
 */
export function removeComments(file: string): MappedText {
  const lines: string[] = [];
  const origins: number[] = [];
  splitLines(file).forEach((line, index) => {
    if (comment.test(line)) return;
    lines.push(line);
    origins.push(index + 1);
  });
  return { text: lines.join('\n'), origins };
}

/** The lines of a file, without their ends and without a byte order mark. */
export function splitLines(file: string): readonly string[] {
  return file.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
}

/** A place in a text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Finds the places of offsets in one text, for many offsets of it. */
export function createPlaces(text: string): (offset: number) => Place {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
