import { zeroEntry } from '../fields.ts';
import { printFormat, printLine, printPlain } from '../format/printf.ts';
import type { Printer } from '../format/printer.ts';
import { byteLength, toBytes } from '../text/bytes.ts';
import { escapeHtml, escapeJavaScript, escapeQuery } from '../text/escape.ts';
import { GoInt, GoList, GoMap, int, isNil, isTrue, typeName, type Value } from '../value.ts';
import { refuse } from '../faults.ts';
import { fn, variadic, type Environment, type FunctionTable } from './define.ts';

function printed(env: Environment, print: (printer: Printer) => void): string {
  const printer = env.printer();
  print(printer);
  return printer.text;
}

function plain(values: readonly Value[], env: Environment): string {
  const [only] = values;
  if (values.length === 1 && typeof only === 'string') return only;
  return printed(env, (printer) => {
    printPlain(printer, values);
  });
}

/** As {@link plain}, but a missing value shows as it does in the output. */
function shown(values: readonly Value[], env: Environment): string {
  return plain(
    values.map((value) => value ?? '<no value>'),
    env,
  );
}

function position(index: Value, length: number): number {
  if (isNil(index)) throw refuse('cannot index slice/array with nil');
  if (!(index instanceof GoInt)) throw refuse(`cannot index slice/array with type ${typeName(index)}`);
  if (index.value < 0n || index.value >= BigInt(length)) throw refuse(`index out of range: ${index.value}`);
  return Number(index.value);
}

function indexOne(item: Value, index: Value): Value {
  if (isNil(item)) throw refuse('index of nil pointer', 'The value to look into is missing.');
  if (item instanceof GoList) return item.items[position(index, item.items.length)];
  if (typeof item === 'string') {
    const bytes = toBytes(item);
    return new GoInt(BigInt(bytes[position(index, bytes.length)] ?? 0), 'uint8');
  }
  if (!(item instanceof GoMap)) throw refuse(`can't index item of type ${typeName(item)}`);
  if (typeof index !== 'string')
    throw refuse(`value ${isNil(index) ? 'is nil' : `has type ${typeName(index)}`}; should be string`);
  return item.entries.has(index) ? item.entries.get(index) : zeroEntry(item);
}

function lengthOf(item: Value): Value {
  if (typeof item === 'string') return int(byteLength(item));
  if (item instanceof GoList) return int(item.items.length);
  if (item instanceof GoMap) return int(item.entries.size);
  if (isNil(item)) throw refuse('len of nil pointer', 'The value is missing: give it one with default.');
  throw refuse(`len of type ${typeName(item)}`);
}

/** The functions of Go's `text/template` itself, but for comparison; the evaluator does `and` and `or`. */
export const builtinFunctions: FunctionTable = {
  and: variadic(['any'], 'any', ([first]) => first),
  or: variadic(['any'], 'any', ([first]) => first),
  not: fn(['any'], ([value]) => !isTrue(value)),
  len: fn(['any'], ([value]) => lengthOf(value)),
  index: variadic(['any'], 'any', ([item], indexes) => {
    if (isNil(item)) throw refuse('index of untyped nil', 'The value to look into is missing.');
    return indexes.reduce(indexOne, item);
  }),
  print: variadic([], 'any', (_none, values, env) => plain(values, env)),
  printf: variadic(['string'], 'any', ([format], values, env) =>
    printed(env, (printer) => {
      printFormat(printer, format, values);
    }),
  ),
  println: variadic([], 'any', (_none, values, env) =>
    printed(env, (printer) => {
      printLine(printer, values);
    }),
  ),
  html: variadic([], 'any', (_none, values, env) => escapeHtml(shown(values, env))),
  js: variadic([], 'any', (_none, values, env) => escapeJavaScript(shown(values, env))),
  urlquery: variadic([], 'any', (_none, values, env) => escapeQuery(shown(values, env))),
  call: variadic(['any'], 'any', ([callee]) => {
    if (isNil(callee)) throw refuse('call of nil');
    throw refuse(`non-function of type ${typeName(callee)}`);
  }),
};
