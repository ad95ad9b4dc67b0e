import { compareStrings } from '../text/bytes.ts';
import { GoList, int, strings, typeName, type Value } from '../value.ts';
import { isEmpty } from './empty.ts';
import { itemsOf, textItems, textOf, toInt64 } from './convert.ts';
import { deepEqual } from './equal.ts';
import { refuse } from '../faults.ts';
import { fn, variadic, type Environment, type FunctionTable, type TemplateFunction } from './define.ts';

const anyNil = new GoList([], undefined, true);

function includes(items: readonly Value[], wanted: Value, env: Environment): boolean {
  return items.some((item) => deepEqual(wanted, item, env.budget));
}

function unique(items: readonly Value[], env: Environment): GoList {
  const result: Value[] = [];
  for (const item of items) if (!includes(result, item, env)) result.push(item);
  return new GoList(result);
}

/** Sprig's `slice`, which takes the place of Go's own: items from start to end. */
function slice(list: Value, indexes: readonly Value[]): Value {
  if (!(list instanceof GoList)) {
    throw refuse(`list should be type of slice or array but ${typeName(list)}`, 'Cut strings with substr or trunc.');
  }
  const { items } = list;
  if (items.length === 0) return null;
  const start = indexes.length > 0 ? Number(toInt64(indexes[0])) : 0;
  const end = indexes.length > 1 ? Number(toInt64(indexes[1])) : items.length;
  if (start < 0 || end > items.length || start > end) {
    throw refuse(`slice index out of bounds [${start}:${end}] with length ${items.length}`);
  }
  return new GoList(items.slice(start, end), list.type);
}

function concat(lists: readonly Value[]): GoList {
  const items = lists.flatMap((list) => itemsOf(list, 'Cannot concat as list type'));
  return new GoList(items, undefined, items.length === 0);
}

/** `from`, `from + step`, … up to `to`, which is left out. */
function count(from: number, to: number, step: number, env: Environment): GoList {
  const length = step === 0 ? 0 : Math.max(0, Math.ceil((to - from) / step));
  env.budget.spend(length);
  return new GoList(
    Array.from({ length }, (_, index) => int(from + index * step)),
    '[]int',
  );
}

/** Sprig's `seq`, after the command: one, two or three numbers, the last of them included. */
function sequence(numbers: readonly number[], env: Environment): string {
  const to = numbers.at(-1);
  if (to === undefined || numbers.length > 3) return '';
  const [from = 1, between] = numbers.length === 1 ? [] : numbers;
  const direction = to < from ? -1 : 1;
  const step = numbers.length === 3 && between !== undefined ? between : direction;
  if (Math.sign(step) !== direction) return '';
  const list = count(from, to + direction, step, env);
  return list.items.map((item) => env.print(item)).join(' ');
}

function chunk(size: number, items: readonly Value[]): GoList {
  if (size < 1) throw refuse('chunk size must be at least 1');
  const chunks = Array.from({ length: Math.ceil(items.length / size) }, (_, index) => {
    return new GoList(items.slice(index * size, (index + 1) * size));
  });
  return new GoList(chunks, '[][]interface {}');
}

const list = variadic([], 'any', (_none, items) => new GoList(items.map((item) => item ?? null)));
const append = fn(
  ['any', 'any'],
  ([items, item]) => new GoList([...itemsOf(items, 'Cannot push on type'), item ?? null]),
);
const prepend = fn(
  ['any', 'any'],
  ([items, item]) => new GoList([item ?? null, ...itemsOf(items, 'Cannot prepend on type')]),
);
const first = fn(['any'], ([items]) => itemsOf(items, 'Cannot find first on type')[0]);
const last = fn(['any'], ([items]) => itemsOf(items, 'Cannot find last on type').at(-1));
const rest = fn(['any'], ([value]) => {
  const items = itemsOf(value, 'Cannot find rest on type');
  return items.length === 0 ? anyNil : new GoList(items.slice(1));
});
const initial = fn(['any'], ([value]) => {
  const items = itemsOf(value, 'Cannot find initial on type');
  return items.length === 0 ? anyNil : new GoList(items.slice(0, -1));
});
const reverse = fn(['any'], ([items]) => new GoList([...itemsOf(items, 'Cannot find reverse on type')].reverse()));
const compact = fn(
  ['any'],
  ([items]) => new GoList(itemsOf(items, 'Cannot compact on type').filter((item) => !isEmpty(item))),
);
const uniq = fn(['any'], ([items], env) => unique(itemsOf(items, 'Cannot find uniq on type'), env));
const without = variadic(['any'], 'any', ([items], unwanted, env) => {
  const kept = itemsOf(items, 'Cannot find without on type').filter((item) => !includes(unwanted, item, env));
  return new GoList(kept);
});
const has = fn(['any', 'any'], ([wanted, items], env) => {
  return items !== null && items !== undefined && includes(itemsOf(items, 'Cannot find has on type'), wanted, env);
});
const cut = variadic(['any'], 'any', ([items], indexes) => slice(items, indexes));
const chunks = fn(['int', 'any'], ([size, items]) => chunk(size, itemsOf(items, 'Cannot chunk type')));

/** Functions that later versions of Sprig also have under a name with `must`. */
const twins: Readonly<Record<string, TemplateFunction>> = {
  first,
  last,
  rest,
  initial,
  prepend,
  reverse,
  compact,
  uniq,
  without,
  has,
  slice: cut,
  append,
  push: append,
  chunk: chunks,
};

/** Sprig's functions on lists. */
export const listFunctions: FunctionTable = {
  ...twins,
  ...Object.fromEntries(
    Object.entries(twins).map(([name, twin]) => [`must${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, twin]),
  ),
  list,
  tuple: list,
  concat: variadic([], 'any', (_none, lists) => concat(lists)),
  sortAlpha: fn(['any'], ([items], env) => {
    if (!(items instanceof GoList)) return strings([textOf(items, env)]);
    const texts = textItems(items, env);
    env.budget.spend(texts.length * Math.ceil(Math.log2(texts.length + 1) / 4));
    return strings(texts.sort(compareStrings));
  }),
  until: fn(['int'], ([end], env) => count(0, end, end < 0 ? -1 : 1, env)),
  untilStep: fn(['int', 'int', 'int'], ([start, end, step], env) => count(start, end, step, env)),
  seq: variadic([], 'int', (_none, numbers, env) => sequence(numbers, env)),
  all: variadic([], 'any', (_none, values) => values.every((value) => !isEmpty(value))),
  any: variadic([], 'any', (_none, values) => values.some((value) => !isEmpty(value))),
};
