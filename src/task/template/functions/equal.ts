import { GoInt, GoList, GoMap, GoObject, GoTime, isNil, typeName, type Value } from '../value.ts';
import type { Budget } from '../budget.ts';

/** `reflect.DeepEqual`: the same type and, all the way down, the same value. */
export function deepEqual(a: Value, b: Value, budget: Budget): boolean {
  budget.spend();
  if (a === b) return true;
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (typeName(a) !== typeName(b)) return false;
  if (a instanceof GoList && b instanceof GoList) return budget.nested(() => equalLists(a, b, budget));
  if (a instanceof GoMap && b instanceof GoMap) return budget.nested(() => equalMaps(a, b, budget));
  return equalScalars(a, b);
}

function equalScalars(a: Value, b: Value): boolean {
  if (a instanceof GoInt && b instanceof GoInt) return a.value === b.value;
  if (a instanceof GoTime && b instanceof GoTime) return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
  return a instanceof GoObject && b instanceof GoObject && a.text === b.text;
}

function equalLists(a: GoList, b: GoList, budget: Budget): boolean {
  if (a.items.length !== b.items.length || a.isNil !== b.isNil) return false;
  return a.items.every((item, index) => deepEqual(item, b.items[index], budget));
}

function equalMaps(a: GoMap, b: GoMap, budget: Budget): boolean {
  if (a.entries.size !== b.entries.size) return false;
  return [...a.entries].every(([key, item]) => b.entries.has(key) && deepEqual(item, b.entries.get(key), budget));
}
