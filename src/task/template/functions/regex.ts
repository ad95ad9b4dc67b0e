import { RE2JS, RE2JSException } from 're2js';
import { toWellFormed } from '../text/bytes.ts';
import { GoList, strings } from '../value.ts';
import { refuse } from '../faults.ts';
import { fn, orElse, type Environment, type FunctionTable } from './define.ts';

const maxPattern = 1000;

/**
 * Compiles a pattern in Go's (RE2's) syntax. Matching takes time linear in the text times the size of the program,
 * which is spent from the budget before the text is looked at.
 */
function compile(pattern: string, text: string, env: Environment): RE2JS {
  if (pattern.length > maxPattern) throw refuse(`the regular expression is longer than ${maxPattern} characters`);
  const regex = parse(pattern);
  env.budget.spend(regex.programSize() * (2 + (text.length >>> 6)));
  return regex;
}

function parse(pattern: string): RE2JS {
  if (toWellFormed(pattern) !== pattern) throw refuse('error parsing regexp: invalid UTF-8');
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw refuse(error.message, 'The syntax is RE2: no look-around, no back-references.');
  }
}

interface Match {
  readonly start: number;
  readonly end: number;
  /** The whole match, and the groups. */
  readonly groups: readonly (string | null)[];
  readonly names: Readonly<Record<string, string | null>>;
}

/** Up to `limit` matches (all when it is negative), by Go's rules: no empty match right behind another match. */
function findAll(regex: RE2JS, text: string, limit: number): Match[] {
  const matcher = regex.matcher(text);
  const matches: Match[] = [];
  let previousEnd = -1;
  while ((limit < 0 || matches.length < limit) && matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    if (start !== end || start !== previousEnd) {
      const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index));
      matches.push({ start, end, groups, names: matcher.getNamedGroups() });
    }
    previousEnd = end;
  }
  return matches;
}

/** Replaces every match by what `expand` makes of it, within the budget. */
function replace(regex: RE2JS, text: string, expand: (match: Match) => string, env: Environment): string {
  const parts: string[] = [];
  let at = 0;
  let length = text.length;
  for (const match of findAll(regex, text, -1)) {
    const replacement = expand(match);
    length += replacement.length;
    env.budget.claim(length > env.budget.limits.maxOutput ? length : replacement.length);
    parts.push(text.slice(at, match.start), replacement);
    at = match.end;
  }
  return [...parts, text.slice(at)].join('');
}

/** Go's `Expand`: `$1`, `$name`, `${1}`, `${name}` and `$$`; a group that is not there is empty. */
function expandTemplate(template: string, { groups, names }: Match): string {
  return template.replaceAll(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    if (whole === '$$') return '$';
    const name = braced ?? bare ?? '';
    return (/^\d+$/.test(name) ? groups[Number(name)] : Object.hasOwn(names, name) ? names[name] : undefined) ?? '';
  });
}

/** Go's `Regexp.Split`: at most `limit` parts when it is positive, none for 0. */
function split(regex: RE2JS, text: string, limit: number): string[] {
  if (limit === 0) return [];
  if (text === '' && regex.pattern() !== '') return [''];
  const parts: string[] = [];
  let begin = 0;
  let end = 0;
  for (const match of findAll(regex, text, limit)) {
    if (limit > 0 && parts.length === limit - 1) break;
    end = match.start;
    if (match.end !== 0) parts.push(text.slice(begin, end));
    begin = match.end;
  }
  if (end !== text.length) parts.push(text.slice(begin));
  return parts;
}

const mustMatch = fn(['string', 'string'], ([pattern, text], env) => compile(pattern, text, env).matcher(text).find());
const isMatch = fn(['string', 'string'], ([pattern, text], env) => {
  return orElse(false, () => compile(pattern, text, env).matcher(text).find());
});
const allMatches = fn(['string', 'string', 'int'], ([pattern, text, limit], env) => {
  const found = findAll(compile(pattern, text, env), text, limit).map(({ groups }) => groups[0] ?? '');
  return found.length === 0 ? new GoList([], '[]string', true) : strings(found);
});
const firstMatch = fn(['string', 'string'], ([pattern, text], env) => {
  return findAll(compile(pattern, text, env), text, 1)[0]?.groups[0] ?? '';
});
const replaceAll = fn(['string', 'string', 'string'], ([pattern, text, template], env) => {
  return replace(compile(pattern, text, env), text, (match) => expandTemplate(template, match), env);
});
const replaceLiteral = fn(['string', 'string', 'string'], ([pattern, text, replacement], env) => {
  return replace(compile(pattern, text, env), text, () => replacement, env);
});
const splitText = fn(['string', 'string', 'int'], ([pattern, text, limit], env) => {
  return strings(split(compile(pattern, text, env), text, limit));
});

/** Sprig's functions on regular expressions; a pattern that does not compile is a fault, but for `regexMatch`. */
export const regexFunctions: FunctionTable = {
  regexMatch: isMatch,
  mustRegexMatch: mustMatch,
  regexFindAll: allMatches,
  mustRegexFindAll: allMatches,
  regexFind: firstMatch,
  mustRegexFind: firstMatch,
  regexReplaceAll: replaceAll,
  mustRegexReplaceAll: replaceAll,
  regexReplaceAllLiteral: replaceLiteral,
  mustRegexReplaceAllLiteral: replaceLiteral,
  regexSplit: splitText,
  mustRegexSplit: splitText,
  regexQuoteMeta: fn(['string'], ([text]) => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
};
