/*
 * The values that templates compute with, as Go's reflection sees them. JavaScript's own types stand for the usual
 * ones: boolean, string (text/bytes.ts says how bytes are carried) and number, which is always float64. `null` is a
 * nil interface (a map entry that is missing or null), `undefined` no value at all: Go treats fields of the two
 * differently, the first is an error, the second is no value again.
 */

export type IntType = 'int' | 'int32' | 'int64' | 'uint8' | 'time.Duration' | 'time.Month' | 'time.Weekday';

/** An integer of up to 64 bits, and its Go type. */
export class GoInt {
  readonly value: bigint;
  readonly type: IntType;

  constructor(value: bigint, type: IntType = 'int') {
    this.value = BigInt.asIntN(64, value);
    this.type = type;
  }
}

/** A slice. `type` is its Go type; a nil slice is empty, and differs in JSON alone. */
export class GoList {
  readonly items: readonly Value[];
  readonly type: string;
  readonly isNil: boolean;

  constructor(items: readonly Value[], type = anyList, isNil = false) {
    this.items = items;
    this.type = type;
    this.isNil = isNil;
  }
}

/** A map with string keys; `set` and `unset` change it in place. */
export class GoMap {
  readonly entries: Map<string, Value>;
  readonly type: string;
  /** Whether there is no map, which reads as an empty one but takes no entry. */
  readonly isNil: boolean;

  constructor(entries: Map<string, Value> = new Map(), type = anyMap, isNil = false) {
    this.entries = entries;
    this.type = type;
    this.isNil = isNil;
  }
}

/** A `time.Time`: an instant and the zone it is shown in. */
export class GoTime {
  /** Seconds since the epoch, whole; before 1970 negative. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly zone: Zone;

  constructor(seconds: number, nanoseconds: number, zone: Zone) {
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }
}

/** A time zone: what holds in it at an instant (seconds since the epoch). */
export interface Zone {
  readonly name: string;
  /** Seconds east of UTC. */
  offsetAt(seconds: number): number;
  abbreviationAt(seconds: number): string;
}

/** A struct with a text of its own, such as `*semver.Version`. */
export class GoObject {
  readonly type: string;
  readonly text: string;
  readonly fields: ReadonlyMap<string, Value>;

  constructor(type: string, text: string, fields: ReadonlyMap<string, Value>) {
    this.type = type;
    this.text = text;
    this.fields = fields;
  }
}

export type Value = null | undefined | boolean | string | number | GoInt | GoList | GoMap | GoTime | GoObject;

export const anyList = '[]interface {}';
export const anyMap = 'map[string]interface {}';

/** Whether there is nothing: no value, or a nil interface. */
export function isNil(value: Value): value is null | undefined {
  return value === null || value === undefined;
}

/** An `int`. */
export function int(value: number | bigint): GoInt {
  return new GoInt(BigInt(value), 'int');
}

/** An `int64`, which is what Sprig's arithmetic gives. */
export function int64(value: number | bigint): GoInt {
  return new GoInt(BigInt(value), 'int64');
}

/** A `[]string`. */
export function strings(items: readonly string[]): GoList {
  return new GoList(items, '[]string');
}

/** The Go type, as `%T` prints it. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (value instanceof GoTime) return 'time.Time';
  return value.type;
}

export type Kind =
  'invalid' | 'bool' | 'string' | 'float64' | 'int' | 'int32' | 'int64' | 'uint8' | 'slice' | 'map' | 'struct' | 'ptr';

/** The Go kind, as `reflect` names it. */
export function kindName(value: Value): Kind {
  if (value === null || value === undefined) return 'invalid';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (value instanceof GoList) return 'slice';
  if (value instanceof GoMap) return 'map';
  if (value instanceof GoTime) return 'struct';
  if (value instanceof GoObject) return 'ptr';
  return intKind(value.type);
}

function intKind(type: IntType): Kind {
  if (type === 'time.Duration') return 'int64';
  return type === 'time.Month' || type === 'time.Weekday' ? 'int' : type;
}

/** Whether `if` takes the value for true: anything but no value, false, 0, and what is empty. */
export function isTrue(value: Value): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value === 'number') return value !== 0;
  if (value instanceof GoInt) return value.value !== 0n;
  if (value instanceof GoList) return value.items.length > 0;
  if (value instanceof GoMap) return value.entries.size > 0;
  return typeof value === 'object' || Boolean(value);
}
