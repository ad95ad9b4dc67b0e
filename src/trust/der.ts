/** One value of DER: its tag, and where its contents lie. */
export interface DerValue {
  readonly tag: number;
  readonly contents: Buffer;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octets: 0x04,
  oid: 0x06,
  sequence: 0x30,
} as const;

/**
 * The values that lie one after the other in `bytes` (X.690, definite lengths, tags of one byte: all that certificates
 * have). Undefined when the bytes are anything else.
 */
export function readDer(bytes: Buffer): DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = readHead(bytes, at);
    if (head === undefined || head.end > bytes.length) return undefined;
    values.push({ tag: bytes[at] ?? 0, contents: bytes.subarray(head.start, head.end) });
    at = head.end;
  }
  return values;
}

/** The values inside the one constructed value that `bytes` must be. */
export function readSequence(bytes: Buffer): DerValue[] | undefined {
  const outer = readDer(bytes);
  return outer?.length === 1 && outer[0]?.tag === derTag.sequence ? readDer(outer[0].contents) : undefined;
}

function readHead(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const width = first & 0x7f;
  if (width === 0 || width > 3 || at + 2 + width > bytes.length) return undefined;
  const start = at + 2 + width;
  return { start, end: start + bytes.readUIntBE(at + 2, width) };
}
