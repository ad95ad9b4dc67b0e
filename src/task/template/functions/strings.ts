import { byteLength, sliceBytes } from '../text/bytes.ts';
import { isSpace, runes } from '../text/characters.ts';
import { quoteString } from '../text/quote.ts';
import { strings, GoMap, type Value } from '../value.ts';
import { textItems, textOf } from './convert.ts';
import { refuse } from '../faults.ts';
import { fn, variadic, type Environment, type FunctionTable } from './define.ts';

/** `count` copies of a text, measured before they are made. */
export function repeat(text: string, count: number, env: Environment): string {
  if (count < 0) throw refuse('strings: negative Repeat count');
  env.budget.claim(text.length * count);
  return text === '' ? '' : text.repeat(count);
}

/** Puts `to` in the place of every `from`, measured before it is done. An empty `from` stands between all characters. */
function replaceAll(text: string, [from, to]: readonly [string, string], env: Environment): string {
  const parts = from === '' ? ['', ...runes(text), ''] : text.split(from);
  env.budget.claim(text.length + to.length * (parts.length - 1));
  return parts.join(to);
}

/** Joins texts, measured before it is done. */
export function joinTexts(parts: readonly string[], separator: string, env: Environment): string {
  env.budget.claim(parts.reduce((sum, part) => sum + part.length + separator.length, 0));
  return parts.join(separator);
}

/** `strings.Split` and `strings.SplitN`: an empty separator splits between characters; at most `limit` parts when it is ≥ 0. */
function split(text: string, separator: string, limit = -1): string[] {
  if (limit === 0) return [];
  const parts = separator === '' ? runes(text) : text.split(separator);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

/** Parts under the keys `_0`, `_1`, … */
function numbered(parts: readonly string[]): GoMap {
  return new GoMap(new Map(parts.map((part, index) => [`_${index}`, part])), 'map[string]string');
}

function trimSet(text: string, cutset: string): string {
  const set = new Set(runes(cutset));
  const chars = runes(text);
  let start = 0;
  let end = chars.length;
  while (start < end && set.has(chars[start] ?? '')) start++;
  while (end > start && set.has(chars[end - 1] ?? '')) end--;
  return chars.slice(start, end).join('');
}

function trimSpace(text: string): string {
  const chars = runes(text);
  let start = 0;
  let end = chars.length;
  while (start < end && isSpace(chars[start] ?? '')) start++;
  while (end > start && isSpace(chars[end - 1] ?? '')) end--;
  return chars.slice(start, end).join('');
}

/** Bytes from `start` to `end`, which must lie within the text. */
function bytesOf(text: string, start: number, end: number): string {
  const length = byteLength(text);
  if (start < 0 || start > end || end > length) {
    throw refuse(`runtime error: slice bounds out of range [${start}:${end}] with length ${length}`);
  }
  return sliceBytes(text, start, end);
}

function substring(start: number, end: number, text: string): string {
  const length = byteLength(text);
  if (start < 0) return bytesOf(text, 0, end);
  return bytesOf(text, start, end < 0 || end > length ? length : end);
}

function truncate(count: number, text: string): string {
  const length = byteLength(text);
  if (count >= 0) return length > count ? sliceBytes(text, 0, count) : text;
  return length + count > 0 ? sliceBytes(text, length + count) : text;
}

function indent(spaces: number, text: string, env: Environment): string {
  const pad = repeat(' ', spaces, env);
  return pad + replaceAll(text, ['\n', `\n${pad}`], env);
}

function quoteEach(values: readonly Value[], quote: (value: Value) => string): string {
  return values
    .filter((value) => value !== null && value !== undefined)
    .map(quote)
    .join(' ');
}

const trimAll = fn(['string', 'string'], ([cutset, text]) => trimSet(text, cutset));

/** Sprig's functions on strings, but for case, words and random ones. */
export const stringFunctions: FunctionTable = {
  hello: fn([], () => 'Hello!'),
  trim: fn(['string'], ([text]) => trimSpace(text)),
  trimAll,
  trimall: trimAll,
  trimSuffix: fn(['string', 'string'], ([end, text]) =>
    end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text,
  ),
  trimPrefix: fn(['string', 'string'], ([start, text]) => (text.startsWith(start) ? text.slice(start.length) : text)),
  nospace: fn(['string'], ([text]) =>
    runes(text)
      .filter((char) => !isSpace(char))
      .join(''),
  ),
  contains: fn(['string', 'string'], ([part, text]) => text.includes(part)),
  hasPrefix: fn(['string', 'string'], ([start, text]) => text.startsWith(start)),
  hasSuffix: fn(['string', 'string'], ([end, text]) => text.endsWith(end)),
  repeat: fn(['int', 'string'], ([count, text], env) => repeat(text, count, env)),
  replace: fn(['string', 'string', 'string'], ([from, to, text], env) => replaceAll(text, [from, to], env)),
  substr: fn(['int', 'int', 'string'], ([start, end, text]) => substring(start, end, text)),
  trunc: fn(['int', 'string'], ([count, text]) => truncate(count, text)),
  indent: fn(['int', 'string'], ([spaces, text], env) => indent(spaces, text, env)),
  nindent: fn(['int', 'string'], ([spaces, text], env) => `\n${indent(spaces, text, env)}`),
  quote: variadic([], 'any', (_none, values, env) => quoteEach(values, (value) => quoteString(textOf(value, env)))),
  squote: variadic([], 'any', (_none, values, env) => quoteEach(values, (value) => `'${textOf(value, env)}'`)),
  cat: variadic([], 'any', (_none, values, env) => quoteEach(values, (value) => textOf(value, env))),
  plural: fn(['string', 'string', 'int'], ([one, many, count]) => (count === 1 ? one : many)),
  toString: fn(['any'], ([value], env) => textOf(value, env)),
  toStrings: fn(['any'], ([value], env) => strings(textItems(value, env))),
  join: fn(['string', 'any'], ([separator, list], env) => joinTexts(textItems(list, env), separator, env)),
  split: fn(['string', 'string'], ([separator, text], env) => {
    env.budget.spend(text.length >>> 3);
    return numbered(split(text, separator));
  }),
  splitn: fn(['string', 'int', 'string'], ([separator, limit, text], env) => {
    env.budget.spend(text.length >>> 3);
    return numbered(split(text, separator, limit));
  }),
  splitList: fn(['string', 'string'], ([separator, text], env) => {
    env.budget.spend(text.length >>> 3);
    return strings(split(text, separator));
  }),
};
