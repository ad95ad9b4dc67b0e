/** What the comments at the very beginning of a file decide (Dockerfile reference, "Parser directives"). */
export interface Directives {
  /** The escape character: a backslash or a backtick. */
  readonly escape: string;
  /** The image of the front end that reads the file, and its line. */
  readonly syntax?: { readonly image: string; readonly line: number };
}

const known = ['syntax', 'escape', 'check'];

/** `# name=value` with a name that means something; undefined for any other line. */
function parseDirective(line: string): readonly [string, string] | undefined {
  const found = /^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=/.exec(line);
  const name = found?.[1]?.toLowerCase();
  const value = found ? line.slice(found[0].length).trim() : '';
  return name === undefined || value === '' || !known.includes(name) ? undefined : [name, value];
}

interface Found {
  readonly value: string;
  readonly line: number;
}

function collect(lines: readonly string[]): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  const start = lines[0]?.startsWith('#!') === true ? 1 : 0;
  for (let at = start; at < lines.length; at += 1) {
    const directive = parseDirective(lines[at] ?? '');
    if (directive === undefined) break;
    const [name, value] = directive;
    if (!found.has(name)) found.set(name, { value, line: at + 1 });
  }
  return found;
}

/** Reads the directives; they end at the first line that is none, also when it is a comment. */
export function readDirectives(lines: readonly string[]): Directives {
  const found = collect(lines);
  const escape = found.get('escape')?.value === '`' ? '`' : '\\';
  const syntax = found.get('syntax');
  if (syntax === undefined) return { escape };
  const [image = ''] = syntax.value.split(/\s/, 1);
  return { escape, syntax: { image, line: syntax.line } };
}
