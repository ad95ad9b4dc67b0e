/**
 * One element of a pattern: a character, a class, one or many characters within a name (`?`, `*`), anything (`**` at the
 * end), or any directories (`**` + `/` and before it).
 */
type Token =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'class'; readonly isNegated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly kind: 'one' | 'star' | 'anything' | 'directories' | 'inside' };

/** A pattern made ready. */
export interface Glob {
  readonly tokens: readonly Token[];
  /** The characters that every match starts with: most paths are told apart by them alone. */
  readonly prefix: string;
}

/**
 * Compiles a pattern as Docker's patternmatcher reads it (`.dockerignore`, filters of triggers): `*` and `?` within a name, `[a-z]`, `\` to
 * escape, `**` for any number of directories. Undefined when it is malformed (an open `[`, a `\` at the end).
 */
export function compileGlob(pattern: string): Glob | undefined {
  const tokens: Token[] = [];
  const chars = Array.from(pattern);
  for (let at = 0; at < chars.length;) {
    const next = readToken(chars, at);
    if (next === undefined) return undefined;
    tokens.push(next.token);
    if (next.token.kind === 'directories') tokens.push({ kind: 'inside' });
    at = next.end;
  }
  return { tokens, prefix: prefixOf(tokens) };
}

function prefixOf(tokens: readonly Token[]): string {
  let prefix = '';
  for (const token of tokens) {
    if (token.kind !== 'char') break;
    prefix += token.char;
  }
  return prefix;
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function readToken(chars: readonly string[], at: number): Read | undefined {
  const char = chars[at] ?? '';
  if (char === '*') return readStars(chars, at);
  if (char === '?') return { token: { kind: 'one' }, end: at + 1 };
  if (char === '[') return readClass(chars, at + 1);
  if (char !== '\\') return { token: { kind: 'char', char }, end: at + 1 };
  const escaped = chars[at + 1];
  return escaped === undefined ? undefined : { token: { kind: 'char', char: escaped }, end: at + 2 };
}

function readStars(chars: readonly string[], at: number): Read {
  if (chars[at + 1] !== '*') return { token: { kind: 'star' }, end: at + 1 };
  const end = chars[at + 2] === '/' ? at + 3 : at + 2;
  return { token: { kind: end >= chars.length ? 'anything' : 'directories' }, end };
}

function readClass(chars: readonly string[], start: number): Read | undefined {
  const isNegated = chars[start] === '^';
  const ranges: (readonly [string, string])[] = [];
  for (let at = isNegated ? start + 1 : start; at < chars.length;) {
    if (chars[at] === ']' && ranges.length > 0) return { token: { kind: 'class', isNegated, ranges }, end: at + 1 };
    const low = readClassChar(chars, at);
    const high = low !== undefined && chars[low.end] === '-' ? readClassChar(chars, low.end + 1) : low;
    if (low === undefined || high === undefined) return undefined;
    ranges.push([low.char, high.char]);
    at = high.end;
  }
  return undefined;
}

function readClassChar(chars: readonly string[], at: number): { char: string; end: number } | undefined {
  const isEscape = chars[at] === '\\';
  const char = chars[isEscape ? at + 1 : at];
  if (char === undefined || (!isEscape && (char === '-' || char === ']'))) return undefined;
  return { char, end: isEscape ? at + 2 : at + 1 };
}

/**
 * True when the whole path matches. All ways through the pattern are followed at once, so the work is bounded by pattern
 * length² × path length whatever the pattern: a pattern out of a stranger's repository cannot stall the process.
 */
export function matchesGlob(glob: Glob, path: string): boolean {
  if (!path.startsWith(glob.prefix)) return false;
  let states: number[] = [];
  reach(glob, 0, states);
  for (const char of path) {
    const next: number[] = [];
    for (const state of states) advance(glob, { state, char }, next);
    if (next.length === 0) return false;
    states = next;
  }
  return states.includes(glob.tokens.length);
}

/** Adds a state, and those that are reached from it without a character. Few are ever alive: a list beats a set. */
function reach(glob: Glob, state: number, states: number[]): void {
  if (states.includes(state)) return;
  states.push(state);
  const kind = glob.tokens[state]?.kind;
  if (kind === 'star' || kind === 'anything' || kind === 'directories') reach(glob, state + 1, states);
  if (kind === 'directories') reach(glob, state + 2, states);
}

function advance(glob: Glob, { state, char }: { state: number; char: string }, next: number[]): void {
  const token = glob.tokens[state];
  if (token === undefined) return;
  if (isRepeatable(token)) {
    if (token.kind !== 'star' || char !== '/') reach(glob, state, next);
    if (token.kind === 'inside' && char === '/') reach(glob, state + 1, next);
  } else if (accepts(token, char)) {
    reach(glob, state + 1, next);
  }
}

function isRepeatable(token: Token): boolean {
  return token.kind === 'star' || token.kind === 'anything' || token.kind === 'inside';
}

function accepts(token: Token, char: string): boolean {
  if (token.kind === 'char') return char === token.char;
  if (char === '/') return false;
  if (token.kind === 'class')
    return token.ranges.some(([low, high]) => low <= char && char <= high) !== token.isNegated;
  return token.kind === 'one';
}
