/** Records of a pax extended header, by key. */
export type PaxRecords = ReadonlyMap<string, string>;

/**
 * Decodes the data of a pax header: records `<length> <key>=<value>\n` (POSIX.1-2001, pax). Undefined when it is broken.
 */
export function decodePax(data: Buffer): PaxRecords | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? '' : data.toString('latin1', at, space);
    if (!/^[1-9][0-9]{0,9}$/.test(digits)) return undefined;
    const end = at + Number(digits);
    if (end > data.length || end <= space || data[end - 1] !== 0x0a) return undefined;
    const equals = data.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) return undefined;
    records.set(data.toString('utf8', space + 1, equals), data.toString('utf8', equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** GNU's long name or link name: text up to the first zero byte. */
export function decodeLongName(data: Buffer): string {
  const end = data.indexOf(0);
  return data.toString('utf8', 0, end < 0 ? data.length : end);
}
