import type { Budget } from '../budget.ts';
import { formatDuration } from '../time/duration.ts';
import { formatTimeString } from '../time/layout.ts';
import { monthNames, weekdayNames } from '../time/names.ts';
import { compareStrings } from '../text/bytes.ts';
import { GoInt, GoList, GoMap, GoObject, GoTime, typeName, type Value } from '../value.ts';
import { pad, type Flags } from './flags.ts';
import { formatFloatVerb, formatInteger, formatString } from './verbs.ts';

/** Prints values as Go's `fmt` does, spending from the budget as it goes. */
export class Printer {
  readonly #budget: Budget;
  readonly #parts: string[] = [];
  #length = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get text(): string {
    return this.#parts.join('');
  }

  write(text: string): void {
    this.#length += text.length;
    this.#budget.claim(this.#length > this.#budget.limits.maxOutput ? this.#length : text.length);
    this.#parts.push(text);
  }

  /** Prints an argument of `printf` under its verb. */
  printArgument(value: Value, verb: string, flags: Flags): void {
    this.#claimPadding(flags);
    if (value === null || value === undefined) {
      this.write(verb === 'T' || verb === 'v' ? pad('<nil>', flags) : `%!${verb}(<nil>)`);
    } else if (verb === 'T') this.write(pad(typeName(value), flags));
    else if (verb === 'w' || verb === 'p') this.#printWrong(value, verb, flags);
    else this.#print(value, verb, flags);
  }

  #print(value: Value, verb: string, flags: Flags): void {
    if (value === null || value === undefined) {
      this.write(flags.goSyntax ? 'interface {}(nil)' : '<nil>');
    } else if (value instanceof GoList) this.#budget.nested(() => this.#printList(value, verb, flags));
    else if (value instanceof GoMap) this.#budget.nested(() => this.#printMap(value, verb, flags));
    else this.write(formatScalar(value, verb, flags) ?? badVerb(value, verb, flags));
  }

  #claimPadding({ width, precision }: Flags): void {
    const padding = (width ?? 0) + (precision ?? 0);
    if (padding > 0) this.#budget.claim(padding);
  }

  /** Errors and pointers, which these verbs are for, do not occur. */
  #printWrong(value: Value, verb: string, flags: Flags): void {
    this.write(`%!${verb}(${typeName(value)}=`);
    this.#print(value, 'v', flags);
    this.write(')');
  }

  #printList(list: GoList, verb: string, flags: Flags): void {
    this.write(flags.goSyntax ? `${list.type}{` : '[');
    list.items.forEach((item, index) => {
      if (index > 0) this.write(flags.goSyntax ? ', ' : ' ');
      this.#print(item, verb, flags);
    });
    this.write(flags.goSyntax ? '}' : ']');
  }

  #printMap(map: GoMap, verb: string, flags: Flags): void {
    this.write(flags.goSyntax ? `${map.type}{` : 'map[');
    sortedKeys(map).forEach((key, index) => {
      if (index > 0) this.write(flags.goSyntax ? ', ' : ' ');
      this.#print(key, verb, flags);
      this.write(':');
      this.#print(map.entries.get(key), verb, flags);
    });
    this.write(flags.goSyntax ? '}' : ']');
  }
}

/** What stands for a value that its verb cannot print. */
function badVerb(value: Value, verb: string, flags: Flags): string {
  return `%!${verb}(${typeName(value)}=${formatScalar(value, 'v', flags) ?? ''})`;
}

/** The keys of a map in the order that Go prints and ranges over them. */
export function sortedKeys(map: GoMap): string[] {
  return [...map.entries.keys()].sort(compareStrings);
}

/** What a value with a `String` method says of itself; undefined for other values. */
export function selfText(value: Value): string | undefined {
  if (value instanceof GoObject) return value.text;
  if (value instanceof GoTime) return formatTimeString(value);
  if (!(value instanceof GoInt)) return undefined;
  if (value.type === 'time.Duration') return formatDuration(value.value);
  if (value.type === 'time.Month') return monthNames[Number(value.value) - 1];
  return value.type === 'time.Weekday' ? weekdayNames[Number(value.value)] : undefined;
}

function formatScalar(value: Value, verb: string, flags: Flags): string | undefined {
  const own = 'vsxXq'.includes(verb) && !flags.goSyntax ? selfText(value) : undefined;
  if (own !== undefined) return formatString(own, verb, flags);
  if (typeof value === 'string') return formatString(value, verb, flags);
  if (typeof value === 'number') return formatFloatVerb(value, verb, flags);
  if (typeof value === 'boolean') return verb === 'v' || verb === 't' ? pad(String(value), flags) : undefined;
  if (value instanceof GoInt) return formatInteger(value.value, verb, flags);
  return undefined;
}
