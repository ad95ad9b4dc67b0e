import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { guardAbsent } from './errors.ts';

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Entries of a directory in the order of the keys below them: a directory sorts as its name with the `/` that follows. */
async function sortedEntries(directory: string): Promise<Entry[]> {
  const found = (await guardAbsent(() => readdir(directory, { withFileTypes: true }))) ?? [];
  const entries = found
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => ({ name: entry.isDirectory() ? `${entry.name}/` : entry.name, isDirectory: entry.isDirectory() }));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Keys below `root` that begin with `prefix` and are greater than `after`, ascending; hidden names are not keys. */
export async function* walkKeys(root: string, prefix: string, after = ''): AsyncGenerator<string> {
  const pending: { readonly key: string; readonly isDirectory: boolean }[] = [{ key: '', isDirectory: true }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (!next.isDirectory) {
      if (next.key > after && next.key.startsWith(prefix)) yield next.key;
      continue;
    }
    const folder = next.key;
    if (!(folder.startsWith(prefix) || prefix.startsWith(folder))) continue;
    if (folder < after && !after.startsWith(folder)) continue; // all below it sort before `after`
    const entries = await sortedEntries(join(root, folder));
    pending.push(...entries.reverse().map(({ name, isDirectory }) => ({ key: folder + name, isDirectory })));
  }
}
