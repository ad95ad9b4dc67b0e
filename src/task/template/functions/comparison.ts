import { compareStrings } from '../text/bytes.ts';
import { GoInt, GoList, GoMap, GoTime, isNil, kindName, typeName, type Value } from '../value.ts';
import { refuse } from '../faults.ts';
import { fn, variadic, type FunctionTable } from './define.ts';

type BasicKind = 'bool' | 'int' | 'uint' | 'float' | 'string';

function basicKind(value: Value): BasicKind | undefined {
  const kind = kindName(value);
  if (kind === 'bool' || kind === 'string') return kind;
  if (kind === 'float64') return 'float';
  if (kind === 'uint8') return 'uint';
  return kind.startsWith('int') ? 'int' : undefined;
}

const incompatible = 'incompatible types for comparison';
const hintFor = (a: Value, b: Value): string =>
  `These are ${typeName(a)} and ${typeName(b)}: make them alike with int, float64 or toString.`;

/** Go's `eq` of two values: integers with integers, floats with floats, strings with strings; nil equals nil only. */
function isEqual(a: Value, b: Value): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (a instanceof GoInt && b instanceof GoInt) return a.value === b.value;
  const kind = basicKind(a);
  if (kind !== basicKind(b)) throw refuse(incompatible, hintFor(a, b));
  return kind === undefined ? isSame(a, b) : a === b;
}

/** Equality of what is neither a number, a string nor a boolean. */
function isSame(a: Value, b: Value): boolean {
  if (a instanceof GoList || a instanceof GoMap) {
    throw refuse(`non-comparable type ${typeName(a)}`, 'Compare lists and maps with deepEqual.');
  }
  if (a instanceof GoTime && b instanceof GoTime) return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
  if (typeName(a) !== typeName(b)) throw refuse(incompatible, hintFor(a, b));
  return a === b;
}

/** Go's `lt`: numbers of one family, or strings. */
function isLess(a: Value, b: Value): boolean {
  if (a instanceof GoInt && b instanceof GoInt) return a.value < b.value;
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b) < 0;
  throw notOrdered(a, b);
}

function notOrdered(a: Value, b: Value): Error {
  const [left, right] = [basicKind(a), basicKind(b)];
  if (left !== undefined && right !== undefined && left !== right) return refuse(incompatible, hintFor(a, b));
  const isMissing = isNil(a) || isNil(b);
  return refuse('invalid type for comparison', isMissing ? 'A value is missing: give it one with default.' : undefined);
}

export const comparisonFunctions: FunctionTable = {
  eq: variadic(['any'], 'any', ([first], others) => {
    if (others.length === 0) throw refuse('missing argument for comparison');
    return others.some((other) => isEqual(first, other));
  }),
  ne: fn(['any', 'any'], ([a, b]) => !isEqual(a, b)),
  lt: fn(['any', 'any'], ([a, b]) => isLess(a, b)),
  le: fn(['any', 'any'], ([a, b]) => isLess(a, b) || isEqual(a, b)),
  gt: fn(['any', 'any'], ([a, b]) => !isLess(a, b) && !isEqual(a, b)),
  ge: fn(['any', 'any'], ([a, b]) => !isLess(a, b)),
};
