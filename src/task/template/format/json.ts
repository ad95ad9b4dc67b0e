import type { Budget } from '../budget.ts';
import { refuse } from '../faults.ts';
import { splitWellFormed } from '../text/bytes.ts';
import { formatRfc3339 } from '../time/layout.ts';
import { GoInt, GoList, GoMap, GoTime, type Value } from '../value.ts';
import { sortedKeys } from './printer.ts';

export interface JsonOptions {
  /** Spaces per level; 0 writes all on one line. */
  readonly indent: number;
  /** Whether `<`, `>` and `&` are written as escapes, which is Go's way. */
  readonly escapesHtml: boolean;
}

/**
 * JSON as Go's `encoding/json` writes it: keys sorted, no space in the compact form.
 * @throws TemplateFault for NaN and infinities, which JSON does not know.
 */
export function toJson(value: Value, options: JsonOptions, budget: Budget): string {
  return new JsonWriter(options, budget).write(value, '');
}

class JsonWriter {
  readonly #options: JsonOptions;
  readonly #budget: Budget;

  constructor(options: JsonOptions, budget: Budget) {
    this.#options = options;
    this.#budget = budget;
  }

  write(value: Value, margin: string): string {
    if (value instanceof GoList) return this.#budget.nested(() => this.#list(value, margin));
    if (value instanceof GoMap) return this.#budget.nested(() => this.#map(value, margin));
    const text = this.#scalar(value);
    this.#budget.claim(text.length);
    return text;
  }

  #list(list: GoList, margin: string): string {
    if (list.isNil) return 'null';
    const inner = margin + ' '.repeat(this.#options.indent);
    return this.#enclose(
      ['[', ']'],
      list.items.map((item) => this.write(item, inner)),
      margin,
    );
  }

  #map(map: GoMap, margin: string): string {
    const inner = margin + ' '.repeat(this.#options.indent);
    const colon = this.#options.indent === 0 ? ':' : ': ';
    const entries = sortedKeys(map).map((key) => this.#string(key) + colon + this.write(map.entries.get(key), inner));
    return this.#enclose(['{', '}'], entries, margin);
  }

  #enclose([open, close]: readonly [string, string], items: readonly string[], margin: string): string {
    if (items.length === 0) return open + close;
    const { indent } = this.#options;
    const gap = indent === 0 ? '' : `\n${margin}${' '.repeat(indent)}`;
    this.#budget.claim(items.reduce((sum, item) => sum + item.length + gap.length + 1, 2));
    return open + gap + items.join(`,${gap}`) + (indent === 0 ? '' : `\n${margin}`) + close;
  }

  #scalar(value: Exclude<Value, GoList | GoMap>): string {
    if (value === null || value === undefined) return 'null';
    if (typeof value === 'string') return this.#string(value);
    if (value instanceof GoInt) return value.value.toString();
    if (typeof value === 'number') return formatNumber(value);
    if (typeof value === 'boolean') return String(value);
    return this.#string(value instanceof GoTime ? formatRfc3339(value) : value.text);
  }

  #string(text: string): string {
    const quoted = splitWellFormed(text)
      .map((part) => JSON.stringify(part))
      .join('\\ufffd')
      .replaceAll('"\\ufffd"', '\\ufffd')
      .replaceAll('\\b', '\\u0008')
      .replaceAll('\\f', '\\u000c')
      .replaceAll('\u2028', '\\u2028')
      .replaceAll('\u2029', '\\u2029');
    return this.#options.escapesHtml ? quoted.replaceAll(/[<>&]/g, escapeUnit) : quoted;
  }
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) throw refuse('json: unsupported value');
  return Object.is(value, -0) ? '-0' : String(value);
}

function escapeUnit(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
