import { blockSize } from './tar-header.ts';

/** What a member's header says. Owner and group are always 0: who owns a file on the client means nothing elsewhere. */
export interface TarMember {
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly name: string;
  /** Permission bits, 0–0o7777. */
  readonly mode: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** Bytes of data; 0 for all but files. */
  readonly size: number;
  readonly linkName?: string;
}

const flags = { file: '0', symlink: '2', directory: '5' } as const;
/** What eleven octal digits can say. */
const maxOctalSize = 0o77777777777;

/** The two blocks of zeros that end an archive. */
export const endOfArchive = Buffer.alloc(2 * blockSize);

/** The zeros that fill up a member's last block. */
export function paddingFor(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

/** A member's header in the ustar format, after a pax header (POSIX.1-2001) where ustar has no room for a value. */
export function encodeMember(member: TarMember): Buffer {
  const name = member.kind === 'directory' ? `${member.name}/` : member.name;
  const linkName = member.linkName ?? '';
  const records = [
    ...(fits(name) ? [] : [encodeRecord('path', name)]),
    ...(fits(linkName) ? [] : [encodeRecord('linkpath', linkName)]),
    ...(member.size <= maxOctalSize ? [] : [encodeRecord('size', String(member.size))]),
  ];
  const header = encodeBlock({ ...member, name, linkName, flag: flags[member.kind] });
  if (records.length === 0) return header;
  const data = Buffer.concat(records);
  const paxName = `PaxHeaders/${name.slice(0, 80).replace(/[^\x20-\x7e]/g, '_')}`;
  const pax = encodeBlock({
    name: paxName,
    linkName: '',
    mode: 0o644,
    mtime: member.mtime,
    size: data.length,
    flag: 'x',
  });
  return Buffer.concat([pax, data, paddingFor(data.length), header]);
}

function fits(text: string): boolean {
  return text.length <= 100 && /^[\x20-\x7e]*$/.test(text);
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function encodeRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

interface Block {
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly mtime: number;
  readonly size: number;
  readonly flag: string;
}

function encodeBlock({ name, linkName, mode, mtime, size, flag }: Block): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(name, 0, 100, 'utf8');
  writeOctal(block, { value: mode, at: 100, digits: 7 });
  writeOctal(block, { value: 0, at: 108, digits: 7 });
  writeOctal(block, { value: 0, at: 116, digits: 7 });
  writeOctal(block, { value: size <= maxOctalSize ? size : 0, at: 124, digits: 11 });
  writeOctal(block, { value: Math.max(0, mtime), at: 136, digits: 11 });
  block.write('        ', 148, 'latin1');
  block.write(flag, 156, 'latin1');
  block.write(linkName, 157, 100, 'utf8');
  block.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  writeOctal(block, { value: sum, at: 148, digits: 6 });
  return block;
}

function writeOctal(block: Buffer, { value, at, digits }: { value: number; at: number; digits: number }): void {
  block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
}
