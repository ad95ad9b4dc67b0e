import type { Report } from '../diagnostic.ts';
import { suggest } from '../../domain/nearest.ts';
import { describeNode, resolveScalar, type YamlList, type YamlMap, type YamlNode } from './tree.ts';

/** A value and where it stands. */
export interface Located<T> {
  readonly value: T;
  readonly at: number;
}

/** The types that keys of the language have; `node` is looked at by its own reader. */
export interface FieldTypes {
  readonly string: string;
  readonly integer: number;
  readonly boolean: boolean;
  readonly strings: readonly Located<string>[];
  readonly integers: readonly Located<number>[];
  readonly node: YamlNode;
}

export type FieldType = keyof FieldTypes;

/** The keys of a map with their types. */
export type FieldTable = Readonly<Record<string, FieldType>>;

/** The keys that a map has, each with its value and the place of that value; empty values are left out. */
export type Fields<T extends FieldTable> = { readonly [K in keyof T]?: Located<FieldTypes[T[K]]> };

interface Reading {
  readonly name: string;
  readonly report: Report;
}

/** True for a value that is not there: empty, `~` or null. */
export function isNothing(node: YamlNode): boolean {
  return node.kind === 'scalar' && resolveScalar(node) === null;
}

function readString(node: YamlNode, { name, report }: Reading): string | undefined {
  if (node.kind === 'scalar') return node.text;
  const hint =
    node.kind === 'list'
      ? `write it as one line: ${name}: …`
      : 'put quotes around a value that has ": " or braces in it';
  report.error(node.at, 'type', `${name} must be a text, and this is a ${node.kind}`, hint);
  return undefined;
}

function readInteger(node: YamlNode, { name, report }: Reading): number | undefined {
  const value = node.kind === 'scalar' ? resolveScalar(node) : undefined;
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 2 ** 63) {
    if (!Number.isInteger(value))
      report.warn(node.at, 'type', `${name} is a whole number; what follows the point is cut off`);
    return Math.trunc(value);
  }
  const isQuoted = node.kind === 'scalar' && /^-?\d+$/.test(node.text);
  const hint = isQuoted ? 'remove the quotes' : undefined;
  report.error(node.at, 'type', `${name} must be a whole number, and this is ${describeNode(node)}`, hint);
  return undefined;
}

function readBoolean(node: YamlNode, { name, report }: Reading): boolean | undefined {
  const value = node.kind === 'scalar' ? resolveScalar(node) : undefined;
  if (typeof value === 'boolean') return value;
  const isQuoted = node.kind === 'scalar' && typeof resolveScalar({ ...node, isPlain: true }) === 'boolean';
  const hint = isQuoted ? 'remove the quotes' : undefined;
  report.error(node.at, 'type', `${name} must be true or false, and this is ${describeNode(node)}`, hint);
  return undefined;
}

/** The list that a node is; anything else is an error. */
export function readList(node: YamlNode, name: string, report: Report): YamlList | undefined {
  if (node.kind === 'list') return node;
  const item = node.kind === 'scalar' && node.text.length < 60 ? node.text : '…';
  const hint = `write it as a list: ${name}: [${JSON.stringify(item)}], or each item on a line of its own after "- "`;
  report.error(node.at, 'type', `${name} must be a list, and this is ${describeNode(node)}`, hint);
  return undefined;
}

function readItems<T>(
  node: YamlNode,
  reading: Reading,
  readItem: (item: YamlNode, reading: Reading) => T | undefined,
): readonly Located<T>[] | undefined {
  return readList(node, reading.name, reading.report)?.items.flatMap((item) => {
    const value = readItem(item, { ...reading, name: `an item of ${reading.name}` });
    return value === undefined ? [] : [{ value, at: item.at }];
  });
}

const textOrEmpty = (node: YamlNode, reading: Reading): string | undefined =>
  isNothing(node) ? '' : readString(node, reading);

const readers: { readonly [K in FieldType]: (node: YamlNode, reading: Reading) => FieldTypes[K] | undefined } = {
  string: readString,
  integer: readInteger,
  boolean: readBoolean,
  strings: (node, reading) => readItems(node, reading, textOrEmpty),
  integers: (node, reading) => readItems(node, reading, readInteger),
  node: (node) => node,
};

/** What is known of keys that are not in the table: why they do nothing. */
export type KnownMistakes = Readonly<Record<string, string>>;

/** What {@link readFields} reads, and how it speaks of it. */
export interface FieldReading<T extends FieldTable> {
  readonly table: T;
  /** What the map is, for messages: `the task`, `a step`. */
  readonly of: string;
  readonly mistakes?: KnownMistakes;
}

/** Reads a map by a table of its keys; wrong types are errors, unknown keys warnings. Of equal keys the last one counts. */
export function readFields<const T extends FieldTable>(
  map: YamlMap,
  { table, of, mistakes = {} }: FieldReading<T>,
  report: Report,
): Fields<T> {
  const fields = new Map<string, Located<unknown>>();
  let unknown = 0;
  for (const { key, keyAt, value } of map.entries) {
    const type = Object.hasOwn(table, key) ? table[key] : undefined;
    if (type === undefined) {
      const known = Object.hasOwn(mistakes, key) ? mistakes[key] : undefined;
      // A map full of unknown keys is something else altogether; a guess for each would only take time.
      const hint = known ?? (++unknown > 20 ? undefined : suggest(key, Object.keys(table)));
      report.warn(
        keyAt,
        'unknown-key',
        `${of} has no property ${JSON.stringify(key.slice(0, 60))}; it is ignored`,
        hint,
      );
      continue;
    }
    fields.delete(key);
    if (isNothing(value)) continue;
    const read = readers[type](value, { name: key, report });
    if (read !== undefined) fields.set(key, { value: read, at: value.at });
  }
  return Object.fromEntries(fields) as unknown as Fields<T>;
}

/** The value of a key, or `standard` when it is not there. */
export function valueOr<T>(field: Located<T> | undefined, standard: T): T {
  return field === undefined ? standard : field.value;
}

/** True for a switch that is there and on. */
export function isOn(field: Located<boolean> | undefined): boolean {
  return field?.value === true;
}

/** The text of a key; an empty one is as good as none. */
export function textOf(field: Located<string> | undefined): string | undefined {
  return field === undefined || field.value === '' ? undefined : field.value;
}

/** The texts of a list; none when the key is not there. */
export function textsOf(field: Located<readonly Located<string>[]> | undefined): readonly string[] {
  return (field?.value ?? []).map(({ value }) => value);
}

/** The map that a node is; anything else is an error. */
export function readMap(node: YamlNode, name: string, report: Report): YamlMap | undefined {
  if (node.kind === 'map') return node;
  report.error(node.at, 'type', `${name} must be a map of properties, and this is ${describeNode(node)}`);
  return undefined;
}
