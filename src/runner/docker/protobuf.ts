/**
 * The part of the Protocol Buffers wire format that BuildKit's few messages need
 * (protobuf.dev/programming-guides/encoding): varints and length-delimited fields; fixed-width ones are skipped.
 */

/** One field of a message: a number for a varint, bytes for everything length-delimited. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/** Reads a varint at `at`; `[value, next position]`. Values beyond 2^53 lose their lowest bits. */
function readVarint(bytes: Uint8Array, at: number): readonly [number, number] {
  let value = 0;
  for (let shift = 0; shift < 10; shift += 1) {
    const byte = bytes[at + shift];
    if (byte === undefined) throw new RangeError('a varint is cut off');
    value += (byte & 0x7f) * 2 ** (7 * shift);
    if (byte < 0x80) return [value, at + shift + 1];
  }
  throw new RangeError('a varint is longer than ten bytes');
}

/** How many bytes a field of a fixed width takes; undefined for the other wire types. */
const fixedWidths: Readonly<Record<number, number | undefined>> = { 1: 8, 5: 4 };

/** Reads a message's fields in their order. Throws RangeError on bytes that are no message. */
export function readFields(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [tag, start] = readVarint(bytes, at);
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    const fixed = fixedWidths[type];
    if (fixed !== undefined) {
      at = start + fixed;
    } else if (type === 0 || type === 2) {
      const [value, next] = readVarint(bytes, start);
      at = type === 0 ? next : next + value;
      if (at > bytes.length) throw new RangeError(`field ${number} is longer than its message`);
      fields.push({ number, value: type === 0 ? value : bytes.subarray(next, at) });
    } else {
      throw new RangeError(`field ${number} has wire type ${type}`);
    }
  }
  if (at > bytes.length) throw new RangeError('the last field is cut off');
  return fields;
}

const decoder = new TextDecoder();

/** A field's value as text; empty for a number. */
export function textOf(field: Field): string {
  return typeof field.value === 'number' ? '' : decoder.decode(field.value);
}

/** A field's value as bytes; empty for a number. */
export function bytesOf(field: Field): Uint8Array {
  return typeof field.value === 'number' ? new Uint8Array() : field.value;
}

/** A field's value as a number; 0 for bytes. */
export function numberOf(field: Field): number {
  return typeof field.value === 'number' ? field.value : 0;
}

function writeVarint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...out, rest];
}

/** Writes a message: numbers as varints, text and bytes length-delimited, in the order given. */
export function writeFields(fields: readonly (readonly [number, number | string | Uint8Array])[]): Buffer {
  const parts = fields.map(([number, value]) => {
    if (typeof value === 'number') return Buffer.from([...writeVarint(number * 8), ...writeVarint(value)]);
    const body = typeof value === 'string' ? Buffer.from(value) : value;
    return Buffer.concat([Buffer.from([...writeVarint(number * 8 + 2), ...writeVarint(body.length)]), body]);
  });
  return Buffer.concat(parts);
}
