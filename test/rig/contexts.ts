import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';

/** A tar archive of files by name. */
export async function tarOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, text);
  archive.finalize();
  return buffer(archive);
}

/** The names of the files in a tar archive, plain or gzip, sorted. */
export async function listArchive(bytes: Buffer): Promise<readonly string[]> {
  const entries = extract();
  entries.end(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  const names: string[] = [];
  for await (const entry of entries) {
    if (entry.header.type === 'file') names.push(entry.header.name);
    entry.resume();
  }
  return names.sort();
}
