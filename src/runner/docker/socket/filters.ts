import { isObject, show } from './fields.ts';
import { refuse, wrong } from './refusal.ts';

/** Filters as the engine takes them: each name with the values of which one must hold (labels: all). */
export type Filters = Readonly<Record<string, readonly string[]>>;

function parse(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    throw wrong('filters must be JSON');
  }
}

function valuesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string');
  if (!isObject(value)) throw wrong('a filter must have a list of values');
  return Object.keys(value).filter((key) => value[key] === true);
}

/**
 * Reads the filters of a list, in both forms that clients send: `{"label":["a"]}` and `{"label":{"a":true}}`.
 * @throws `forbidden` for a filter that is not in `known`, `invalid-request`
 */
export function readFilters(written: string | null, known: readonly string[]): Filters {
  if (written === null || written === '') return {};
  const given = parse(written);
  if (!isObject(given)) throw wrong('filters must be an object');
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw refuse(`the filter "${show(unknown)}"`, `known here are ${known.join(', ')}`);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, valuesOf(value)]));
}

/** Filters as text, with labels that must be there besides those asked for. */
export function withLabels(filters: Filters, labels: Readonly<Record<string, string>>): string {
  const own = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return JSON.stringify({ ...filters, label: [...(filters['label'] ?? []), ...own] });
}

/** Whether a name is one of those that a `name` filter asks for: a part of it, or all with `^…$`. */
export function matchesName(filters: Filters, name: string): boolean {
  const wanted = filters['name'] ?? [];
  if (wanted.length === 0) return true;
  return wanted.some((one) => {
    const [starts, ends] = [one.startsWith('^'), one.endsWith('$')];
    const bare = one.slice(starts ? 1 : 0, ends ? -1 : undefined).replace(/^\//, '');
    if (starts && ends) return name === bare;
    if (starts) return name.startsWith(bare);
    return ends ? name.endsWith(bare) : name.includes(bare);
  });
}
