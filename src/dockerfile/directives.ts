/** What the comments at the very beginning of a file decide (Dockerfile reference, "Parser directives"). */
export interface Directives {
  /** The escape character: a backslash or a backtick. */
  readonly escape: string;
  /** The image of the front end that reads the file, and its line. */
  readonly syntax?: { readonly image: string; readonly line: number };
}

const known = ['syntax', 'escape', 'check'];

/** `# name=value` with a name that means something; undefined for any other line. */
function parseDirective(line: string, mark: string): readonly [string, string] | undefined {
  const trimmed = line.trimStart();
  const found = trimmed.startsWith(mark) ? /^\s*([a-zA-Z][a-zA-Z0-9]*)\s*=/.exec(trimmed.slice(mark.length)) : null;
  const name = found?.[1]?.toLowerCase();
  const value = found ? trimmed.slice(mark.length + found[0].length).trim() : '';
  return name === undefined || value === '' || !known.includes(name) ? undefined : [name, value];
}

interface Found {
  readonly value: string;
  readonly line: number;
}

/** The directives from a line on. */
function collect(lines: readonly string[], start: number, mark: string): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  for (let at = start; at < lines.length; at += 1) {
    const directive = parseDirective(lines[at] ?? '', mark);
    if (directive === undefined) break;
    const [name, value] = directive;
    if (!found.has(name)) found.set(name, { value, line: at + 1 });
  }
  return found;
}

/** A front end of another language may be named behind a line for the shell, and by comments that begin with slashes. */
function findSyntax(lines: readonly string[]): Found | undefined {
  const start = lines[0]?.startsWith('#!') === true ? 1 : 0;
  return collect(lines, start, '#').get('syntax') ?? collect(lines, start, '//').get('syntax');
}

/** Reads the directives; they end at the first line that is none, also when it is a comment. */
export function readDirectives(lines: readonly string[]): Directives {
  const escape = collect(lines, 0, '#').get('escape')?.value === '`' ? '`' : '\\';
  const syntax = findSyntax(lines);
  if (syntax === undefined) return { escape };
  const [image = ''] = syntax.value.split(/\s/, 1);
  return { escape, syntax: { image, line: syntax.line } };
}
