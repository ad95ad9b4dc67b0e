import { TemplateFault } from './faults.ts';
import { GoRoot } from './outputs.ts';
import { timeField } from './time/fields.ts';
import { GoMap, GoObject, GoTime, anyMap, typeName, type Value } from './value.ts';
import type { Field } from './syntax/ast.ts';

/** The value at the end of a path of fields; without fields the value itself. */
export function evaluatePath(start: Value, path: readonly Field[]): Value {
  return path.reduce<Value>((value, field, index) => evaluateField(value, field, index > 0), start);
}

/** A field of no value is no value; of a nil interface it is a fault, as in the reference. */
function evaluateField(value: Value, { name, at }: Field, isNested: boolean): Value {
  if (value === undefined) return undefined;
  if (value === null) {
    const hint = 'The value before the last dot is missing: test it with if or with first.';
    throw new TemplateFault(`nil pointer evaluating interface {}.${name}`, { offset: at, hint });
  }
  if (value instanceof GoMap) {
    const found = value.entries.get(name);
    return found === undefined ? unlisted(value, name) : found;
  }
  const found =
    value instanceof GoTime ? timeField(value, name) : value instanceof GoObject ? value.fields.get(name) : undefined;
  if (found !== undefined) return found;
  const type = isNested ? 'interface {}' : typeName(value);
  throw new TemplateFault(`can't evaluate field ${name} in type ${type}`, { offset: at });
}

/** What a map gives for a key that is not among its entries. */
function unlisted(map: GoMap, name: string): Value {
  return map instanceof GoRoot && name === 'Outputs' ? map.outputs : zeroEntry(map);
}

/** What a map gives for a key that it does not have. */
export function zeroEntry(map: GoMap): Value {
  return map.type === anyMap ? null : '';
}
