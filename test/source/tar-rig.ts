import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { encodeMember, endOfArchive, paddingFor, type TarMember } from '../../src/source/tar-writer.ts';
import type { Context, ContextLimits } from '../../src/source/ports.ts';

export const testLimits: ContextLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxUnpackedBytes: 512 * 1024 * 1024,
  maxEntries: 1000,
  maxRatio: 100,
  timeoutMs: 20_000,
};

/** A member as a header with any flag, link and size, right or wrong; checksum always right. */
export function rawMember(
  flag: string,
  name: string,
  { linkName = '', size = 0, data = '' }: { linkName?: string; size?: number; data?: string | Buffer } = {},
): Buffer {
  const content = Buffer.from(data);
  const block = Buffer.from(
    encodeMember({ kind: 'file', name: 'x', mode: 0o644, mtime: 0, size: size || content.length }),
  );
  block.fill(0, 0, 100);
  block.write(name, 0, 100, 'utf8');
  block.write(linkName, 157, 100, 'utf8');
  block.write(flag, 156, 'latin1');
  return Buffer.concat([withChecksum(block), content, paddingFor(content.length)]);
}

export function withChecksum(block: Buffer): Buffer {
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

export function file(name: string, data = ''): Buffer {
  return rawMember('0', name, { data });
}

/** A pax record with its length in front. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(rest) + String(length).length)
    length = Buffer.byteLength(rest) + String(length).length;
  return `${String(length)}${rest}`;
}

export function member(kind: TarMember['kind'], name: string, linkName = ''): Buffer {
  return encodeMember({ kind, name, mode: 0o755, mtime: 0, size: 0, linkName });
}

export function archive(...members: readonly Buffer[]): Buffer {
  return Buffer.concat([...members, endOfArchive]);
}

/** The bytes as a stream, cut into pieces of `size`. */
export function streamOf(bytes: Buffer, size = 65_536): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: false });
}

export function gzipped(bytes: Buffer): Buffer {
  return gzipSync(bytes);
}

/** The files of a context with what is in them. */
export async function filesOf(context: Context): Promise<Record<string, string>> {
  const tar = extract();
  tar.end(await buffer(await context.open()));
  const files: Record<string, string> = {};
  for await (const entry of tar) {
    const content = await buffer(entry);
    if (entry.header.type === 'file') files[entry.header.name] = content.toString();
  }
  return files;
}
