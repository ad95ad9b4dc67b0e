import { sortedKeys } from '../format/printer.ts';
import { GoList, GoMap, strings, type Value } from '../value.ts';
import { textOf } from './convert.ts';
import { isEmpty } from './empty.ts';
import { refuse } from '../faults.ts';
import { fn, variadic, type Environment, type FunctionTable } from './define.ts';

function makeDict(parts: readonly Value[], env: Environment): GoMap {
  const dict = new GoMap();
  for (let at = 0; at < parts.length; at += 2) {
    dict.entries.set(textOf(parts[at], env), at + 1 < parts.length ? (parts[at + 1] ?? null) : '');
  }
  return dict;
}

/** Fills `target` in place from `source`, maps within maps as well; what `target` has wins unless it is empty. */
function merge(target: GoMap, source: GoMap, overwrites: boolean, env: Environment): void {
  for (const [key, value] of source.entries) {
    env.budget.spend();
    const known = target.entries.get(key);
    if (known instanceof GoMap && value instanceof GoMap && known !== value) {
      env.budget.nested(() => merge(known, value, overwrites, env));
    } else if (overwrites || isEmpty(known)) target.entries.set(key, value);
  }
}

const mergeInto = (overwrites: boolean) =>
  variadic(['map'], 'map', ([target], sources, env) => {
    for (const source of sources) merge(target, source, overwrites, env);
    return target;
  });

/** A copy that shares nothing with the value. */
function deepCopy(value: Value, env: Environment): Value {
  env.budget.spend();
  if (value instanceof GoList) {
    const items = env.budget.nested(() => value.items.map((item) => deepCopy(item, env)));
    return new GoList(items, value.type, value.isNil);
  }
  if (!(value instanceof GoMap)) return value;
  const entries = env.budget.nested(() => [...value.entries].map(([key, item]) => [key, deepCopy(item, env)] as const));
  return new GoMap(new Map(entries), value.type);
}

function subset(dict: GoMap, keeps: (key: string) => boolean): GoMap {
  return new GoMap(new Map([...dict.entries].filter(([key]) => keeps(key))));
}

/** `dig "a" "b" default dict`: the value at the end of the keys, or the default. */
function dig(args: readonly Value[]): Value {
  if (args.length < 3) throw refuse('dig needs at least three arguments');
  const keys = args.slice(0, -2);
  if (!keys.every((key) => typeof key === 'string')) throw refuse('dig goes through dicts by strings');
  let value: Value = args.at(-1);
  for (const key of keys) {
    if (!(value instanceof GoMap)) throw refuse('dig goes through dicts by strings');
    if (!value.entries.has(key)) return args.at(-2);
    value = value.entries.get(key);
  }
  return value;
}

const copy = fn(['any'], ([value], env) => {
  if (value === null || value === undefined) throw refuse('deepCopy of nil');
  return deepCopy(value, env);
});

/** Sprig's functions on dicts. Where Sprig takes the keys as Go's maps hand them out, ours come sorted. */
export const dictFunctions: FunctionTable = {
  dict: variadic([], 'any', (_none, parts, env) => makeDict(parts, env)),
  get: fn(['map', 'string'], ([dict, key]) => (dict.entries.has(key) ? dict.entries.get(key) : '')),
  set: fn(['map', 'string', 'any'], ([dict, key, value]) => {
    if (dict.isNil) throw refuse('assignment to entry in nil map', 'The dict is missing: make one with dict.');
    dict.entries.set(key, value ?? null);
    return dict;
  }),
  unset: fn(['map', 'string'], ([dict, key]) => {
    dict.entries.delete(key);
    return dict;
  }),
  hasKey: fn(['map', 'string'], ([dict, key]) => dict.entries.has(key)),
  pluck: variadic(['string'], 'map', ([key], dicts) => {
    return new GoList(dicts.filter((dict) => dict.entries.has(key)).map((dict) => dict.entries.get(key)));
  }),
  keys: variadic([], 'map', (_none, dicts) => strings(dicts.flatMap(sortedKeys))),
  values: fn(['map'], ([dict]) => new GoList(sortedKeys(dict).map((key) => dict.entries.get(key)))),
  pick: variadic(['map'], 'string', ([dict], keys) => subset(dict, (key) => keys.includes(key))),
  omit: variadic(['map'], 'string', ([dict], keys) => subset(dict, (key) => !keys.includes(key))),
  merge: mergeInto(false),
  mustMerge: mergeInto(false),
  mergeOverwrite: mergeInto(true),
  mustMergeOverwrite: mergeInto(true),
  deepCopy: copy,
  mustDeepCopy: copy,
  dig: variadic([], 'any', (_none, args) => dig(args)),
};
