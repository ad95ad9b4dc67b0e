import { fromBytes, toBytes } from '../text/bytes.ts';
import { fn, type Environment, type FunctionTable } from './define.ts';

interface WrapOptions {
  readonly width: number;
  readonly newline: string;
  /** Whether words longer than a line are cut. */
  readonly cutsWords: boolean;
}

const space = 0x20;

/** Breaks a text into lines of at most `width` bytes, at spaces. */
function wrap(text: string, options: WrapOptions, env: Environment): string {
  const bytes = toBytes(text);
  const width = Math.max(1, options.width);
  const newline = options.newline === '' ? '\n' : options.newline;
  const lines: string[] = [];
  let at = 0;
  let length = 0;
  const put = (end: number): void => {
    lines.push(fromBytes(bytes.subarray(at, end)));
    length += end - at + newline.length;
    env.budget.claim(length > env.budget.limits.maxOutput ? length : newline.length);
  };
  while (bytes.length - at > width) {
    if (bytes[at] === space) {
      at++;
      continue;
    }
    const end = lineEnd(bytes, at, { ...options, width });
    if (end === undefined) break;
    put(end.at);
    at = end.next;
  }
  return [...lines, fromBytes(bytes.subarray(at))].join(newline);
}

interface LineEnd {
  readonly at: number;
  /** Where the next line starts: behind the space, if the line ends at one. */
  readonly next: number;
}

/** Where the line that starts at `at` ends; undefined when the rest is one long word. */
function lineEnd(bytes: Buffer, at: number, { width, cutsWords }: WrapOptions): LineEnd | undefined {
  const last = bytes.subarray(at, at + width + 1).lastIndexOf(space);
  if (last >= 0) return { at: at + last, next: at + last + 1 };
  if (cutsWords) return { at: at + width, next: at + width };
  const next = bytes.indexOf(space, at + width);
  return next < 0 ? undefined : { at: next, next: next + 1 };
}

export const wrappingFunctions: FunctionTable = {
  wrap: fn(['int', 'string'], ([width, text], env) => wrap(text, { width, newline: '\n', cutsWords: false }, env)),
  wrapWith: fn(['int', 'string', 'string'], ([width, newline, text], env) =>
    wrap(text, { width, newline, cutsWords: true }, env),
  ),
};
