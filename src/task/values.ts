import { createReport, type Diagnostic } from './diagnostic.ts';
import { defaultLimits } from './limits.ts';
import type { Value, Values } from './render-data.ts';
import { createPlaces, splitLines } from './text/mapped-text.ts';
import { parseYaml } from './yaml/parse.ts';
import { resolveScalar, type YamlNode } from './yaml/tree.ts';

function toValue(node: YamlNode): Value {
  switch (node.kind) {
    case 'scalar':
      return resolveScalar(node);
    case 'list':
      return node.items.map(toValue);
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, toValue(value)]));
  }
}

export type ValuesResult =
  { readonly ok: true; readonly values: Values } | { readonly ok: false; readonly errors: readonly Diagnostic[] };

/**
 * Reads a values file: a YAML map, its scalars by the reference's rules (`yes` is true, `010` is eight). Unlike there, maps may be nested.
 * @param file the file's name, for diagnostics.
 */
export function readValues(text: string, file = 'values.yaml'): ValuesResult {
  const report = createReport();
  if (Buffer.byteLength(text) > defaultLimits.bytes)
    report.error(0, 'limit', `a values file has at most ${defaultLimits.bytes / 1024} KiB`);
  const body = splitLines(text).join('\n');
  const root = report.hasErrors() ? undefined : parseYaml(body, defaultLimits, report);
  const isEmpty = root === undefined || (root.kind === 'scalar' && root.text === '');
  if (!isEmpty && root.kind !== 'map')
    report.error(root.at, 'type', `a values file must be a map, and this is a ${root.kind}`);
  if (!report.hasErrors()) return { ok: true, values: isEmpty ? {} : (toValue(root) as Values) };
  const lines = splitLines(text);
  const placeOf = createPlaces(body);
  const errors = report.faults
    .filter(({ severity }) => severity === 'error')
    .map(({ at, ...fault }) => {
      const place = placeOf(at);
      return { ...fault, ...place, file, source: lines[place.line - 1] ?? '' };
    });
  return { ok: false, errors };
}

/**
 * Reads `--set name=value` items: the name as it stands, the value a text whatever it looks like; of equal names the last one counts.
 * @returns the values, or the first item that is none.
 */
export function readSetValues(items: readonly string[]): { readonly values: Values } | { readonly wrong: string } {
  const values = new Map<string, string>();
  for (const item of items) {
    const equals = item.indexOf('=');
    if (equals < 1) return { wrong: item };
    values.set(item.slice(0, equals), item.slice(equals + 1));
  }
  return { values: Object.fromEntries(values) };
}
