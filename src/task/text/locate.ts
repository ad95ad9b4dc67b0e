import { splitLines, type MappedText, type Place } from './mapped-text.ts';

/** Renders a text; undefined when that fails. */
export type Rerender = (text: string) => string | undefined;

const open = '\ue000';
const close = '\ue001';
const marker = /\ue000([0-9]+)\ue001/g;

/** For each line of a template, whether it begins inside `{{ … }}`. */
function findActionLines(text: string): readonly boolean[] {
  const inside: boolean[] = [false];
  let at = 0;
  const skip = (end: number): void => {
    const to = end < 0 ? text.length : end;
    for (let line = text.indexOf('\n', at); line >= 0 && line < to; line = text.indexOf('\n', line + 1))
      inside.push(true);
    at = to;
  };
  const plain = (to: number): void => {
    for (let line = text.indexOf('\n', at); line >= 0 && line < to; line = text.indexOf('\n', line + 1))
      inside.push(false);
    at = to;
  };
  while (at < text.length) {
    const start = text.indexOf('{{', at);
    plain(start < 0 ? text.length : start);
    if (start >= 0) skip(endOfAction(text, start + 2));
  }
  return inside;
}

/** The offset after the `}}` of an action whose inside begins at `from`; comments and quotes are honoured. */
function endOfAction(text: string, from: number): number {
  if (/^(?:-\s)?\/\*/.test(text.slice(from, from + 5))) {
    const end = text.indexOf('*/', from);
    return end < 0 ? -1 : after(text.indexOf('}}', end));
  }
  const piece = /\}\}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/g;
  piece.lastIndex = from;
  for (let found = piece.exec(text); found !== null; found = piece.exec(text))
    if (found[0] === '}}') return piece.lastIndex;
  return -1;
}

function after(at: number): number {
  return at < 0 ? -1 : at + 2;
}

/** Puts the line's number before the first visible character of each line, where that changes nothing but the text. */
function markLines(text: string): string {
  const inside = findActionLines(text);
  return text
    .split('\n')
    .map((line, index) => {
      const visible = line.search(/\S/);
      if (inside[index] === true || visible < 0 || line.startsWith('{{-', visible)) return line;
      return `${line.slice(0, visible)}${open}${index + 1}${close}${line.slice(visible)}`;
    })
    .join('\n');
}

/** The line of the template that each line of the rendered text came from. */
function mapLines(template: string, rendered: string, rerender: Rerender): readonly number[] {
  const count = rendered.split('\n').length;
  const straight = (): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
  const isPlain = !/\{\{-|-\}\}|\{\{\s*(?:if|range|with|define|block)\b/.test(template);
  if (template.includes(open) || (isPlain && template.split('\n').length === count)) return straight();
  const marked = rerender(markLines(template));
  // What is not the same with the markers taken out again has drawn random numbers, or looks at its own text.
  if (marked?.replace(marker, '') !== rendered) return straight();
  let last = 1;
  return marked.split('\n').map((line) => {
    const found = [...line.matchAll(marker)].map(([, number]) => Number(number));
    last = found.at(-1) ?? last;
    return found[0] ?? last;
  });
}

/** The column in the file's line that a column of the rendered line stands for: exact in what both have in common at either end. */
function mapColumn(source: string, rendered: string, column: number): number {
  let prefix = 0;
  while (prefix < source.length && source[prefix] === rendered[prefix]) prefix += 1;
  if (column <= prefix + 1) return column;
  let suffix = 0;
  const most = Math.min(source.length, rendered.length) - prefix;
  while (suffix < most && source.at(-1 - suffix) === rendered.at(-1 - suffix)) suffix += 1;
  if (rendered.length - (column - 1) <= suffix) return source.length - (rendered.length - column);
  return prefix + 1;
}

/** Finds the place in the file of a place in a text that was made from it. */
export interface Locator {
  /** `place` is in the rendered text. */
  locate(place: Place): Place & { readonly source: string };
}

/** What a {@link Locator} needs to know: the file, the text that was rendered, what came of it, and how to render again. */
export interface LocatorSource {
  readonly file: string;
  readonly template: MappedText;
  readonly rendered: string;
  readonly rerender: Rerender;
}

/** Makes a locator; the map of lines is only made when a place is asked for, by rendering a second time with marks in the text. */
export function createLocator({ file, template, rendered, rerender }: LocatorSource): Locator {
  const lines = splitLines(file);
  const renderedLines = rendered.split('\n');
  let map: readonly number[] | undefined;
  return {
    locate: ({ line, column }) => {
      map ??= mapLines(template.text, rendered, rerender);
      const templateLine = map[line - 1] ?? map.at(-1) ?? 1;
      const origin = template.origins[templateLine - 1] ?? template.origins.at(-1) ?? 1;
      const source = lines[origin - 1] ?? '';
      return { line: origin, column: mapColumn(source, renderedLines[line - 1] ?? '', column), source };
    },
  };
}
