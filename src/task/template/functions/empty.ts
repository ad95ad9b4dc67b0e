import { GoInt, GoList, GoMap, type Value } from '../value.ts';

/** Sprig's `empty`: no value, false, 0, and a string, list or map without anything in it. */
export function isEmpty(value: Value): boolean {
  if (value === null || value === undefined) return true;
  if (value instanceof GoInt) return value.value === 0n;
  if (value instanceof GoList) return value.items.length === 0;
  if (value instanceof GoMap) return value.entries.size === 0;
  return value === '' || value === false || value === 0;
}
