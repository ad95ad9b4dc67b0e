import { TemplateFault } from './faults.ts';
import { GoList, GoMap, int, type Value } from './value.ts';

const maxValues = 100_000;

/**
 * Turns plain data (as JSON or YAML gives it) into values of the template: whole numbers become `int`, others
 * `float64`, objects and Maps `map[string]interface {}` with their keys as strings.
 * @throws TemplateFault for data that holds itself, is deeper than `maxDepth`, or has too many values.
 */
export function fromData(data: unknown, maxDepth: number): Value {
  return new Converter(maxDepth).convert(data, 0);
}

class Converter {
  readonly #maxDepth: number;
  readonly #done = new Map<object, Value>();
  #count = 0;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  convert(data: unknown, depth: number): Value {
    if (typeof data !== 'object' || data === null) return convertScalar(data);
    const done = this.#done.get(data);
    if (done !== undefined) return done;
    if (depth >= this.#maxDepth) throw new TemplateFault(`the data is deeper than ${this.#maxDepth} levels`);
    const value = this.#convertObject(data, depth + 1);
    this.#done.set(data, value);
    return value;
  }

  #convertObject(data: object, depth: number): Value {
    if (Array.isArray(data)) return new GoList(data.map((item: unknown) => this.#member(item, depth)));
    if (data instanceof Date) return Number.isNaN(data.getTime()) ? null : data.toISOString();
    const entries: [unknown, unknown][] = data instanceof Map ? [...data.entries()] : Object.entries(data);
    // Only a scalar can be a key; what else a Map has for one cannot be named in a template.
    const named = entries.filter(([key]) => typeof key !== 'object' && typeof key !== 'function');
    return new GoMap(new Map(named.map(([key, item]) => [String(key), this.#member(item, depth)])));
  }

  #member(data: unknown, depth: number): Value {
    if (++this.#count > maxValues) throw new TemplateFault(`the data has more than ${maxValues} values`);
    return this.convert(data, depth) ?? null;
  }
}

function convertScalar(data: unknown): Value {
  switch (typeof data) {
    case 'string':
    case 'boolean':
      return data;
    case 'bigint':
      return int(data);
    case 'number':
      return Number.isInteger(data) && Math.abs(data) < 2 ** 63 ? int(data) : data;
    default:
      return null;
  }
}
