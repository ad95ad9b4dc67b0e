import { fail } from '../domain/failure.ts';
import type { Budget } from './budget.ts';

const anyRun = Symbol('*');
const anyOne = Symbol('?');

/** A shell pattern, character by character: literals, `?` and `*`. Nothing else is special (Dockerfile reference, "Environment replacement"). */
type Pattern = readonly (string | typeof anyRun | typeof anyOne)[];

function parsePattern(text: string): Pattern {
  const pattern: (string | symbol)[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += 1) {
    const one = characters[at] ?? '';
    if (one === '*') {
      if (pattern.at(-1) !== anyRun) pattern.push(anyRun);
    } else if (one === '?') pattern.push(anyOne);
    else if (one === '\\') pattern.push(readEscaped(characters[(at += 1)]));
    else pattern.push(one);
  }
  return pattern as Pattern;
}

function readEscaped(character: string | undefined): string {
  if (character !== undefined && '*?\\}/'.includes(character)) return character;
  throw fail('invalid-request', `\\${character ?? ''} cannot stand in a pattern`);
}

/** The places of the pattern that are reached at `from`: a run of characters may be empty. Two runs never stand side by side. */
function reach(pattern: Pattern, from: number): readonly number[] {
  return pattern[from] === anyRun ? [from, from + 1] : [from];
}

function step(pattern: Pattern, places: ReadonlySet<number>, character: string): Set<number> {
  const next = new Set<number>();
  for (const place of places) {
    const wanted = pattern[place];
    if (wanted === anyRun) for (const one of reach(pattern, place)) next.add(one);
    else if (wanted === anyOne || wanted === character) for (const one of reach(pattern, place + 1)) next.add(one);
  }
  return next;
}

/** How many characters of `text` from `start` on the pattern takes, at least and at most; undefined: it does not fit. */
function measure(
  pattern: Pattern,
  text: readonly string[],
  start: number,
  budget: Budget,
): readonly [number, number] | undefined {
  let places = new Set(reach(pattern, 0));
  let shortest: number | undefined;
  let longest = 0;
  for (let at = start; places.size > 0; at += 1) {
    budget.spend(places.size + 1);
    if (places.has(pattern.length)) {
      shortest ??= at - start;
      longest = at - start;
    }
    const character = text[at];
    if (character === undefined) break;
    places = step(pattern, places, character);
  }
  return shortest === undefined ? undefined : [shortest, longest];
}

/** What of a value is cut off: `${A#x}`, `${A##x}`, `${A%x}`, `${A%%x}`. */
export interface Trim {
  readonly side: 'start' | 'end';
  readonly isGreedy: boolean;
}

/** Cuts what fits a pattern off a value. @throws `invalid-request` when the pattern is none. */
export function trimByPattern(value: string, text: string, { side, isGreedy }: Trim, budget: Budget): string {
  const pattern = parsePattern(text);
  const characters = Array.from(value);
  const isEnd = side === 'end';
  const found = isEnd
    ? measure(pattern.toReversed(), characters.toReversed(), 0, budget)
    : measure(pattern, characters, 0, budget);
  if (found === undefined) return value;
  const length = found[isGreedy ? 1 : 0];
  return (isEnd ? characters.slice(0, characters.length - length) : characters.slice(length)).join('');
}

/** Replaces what fits a pattern, as much as it takes at the leftmost place: `${A/x/y}`, and everywhere: `${A//x/y}`. */
export function replaceByPattern(
  value: string,
  text: string,
  { by, isAll }: { readonly by: string; readonly isAll: boolean },
  budget: Budget,
): string {
  const pattern = parsePattern(text);
  const characters = Array.from(value);
  const output: string[] = [];
  let at = 0;
  while (at < characters.length) {
    const length = measure(pattern, characters, at, budget)?.[1] ?? 0;
    output.push(length > 0 ? by : (characters[at] ?? ''));
    budget.spend(by.length);
    at += length > 0 ? length : 1;
    if (length > 0 && !isAll) break;
  }
  return [...output, ...characters.slice(at)].join('');
}
