import type { MappedText } from '../text/mapped-text.ts';

const aliasLine = /^alias\s*:/;
const topLevelLine = /^[^\s:]+[^:]*:/;

/**
 * Cuts the top-level `alias:` block out of a task: from a line that begins with `alias:` to the next line that begins with a key. Each
 * line of both parts ends with a newline (acr-tasks.md §1.0, step 3).
 */
export function separateAliases({ text, origins }: MappedText): {
  readonly block: MappedText;
  readonly rest: MappedText;
} {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const block: Lines = { lines: [], origins: [] };
  const rest: Lines = { lines: [], origins: [] };
  let isInside = false;
  lines.forEach((line, index) => {
    if (!isInside && aliasLine.test(line)) isInside = true;
    else if (isInside && topLevelLine.test(line)) isInside = false;
    const part = isInside ? block : rest;
    part.lines.push(line);
    part.origins.push(origins[index] ?? 1);
  });
  return { block: join(block), rest: join(rest) };
}

interface Lines {
  readonly lines: string[];
  readonly origins: number[];
}

function join({ lines, origins }: Lines): MappedText {
  return { text: lines.map((line) => `${line}\n`).join(''), origins: [...origins, origins.at(-1) ?? 1] };
}
