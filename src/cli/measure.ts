import { findIgnoreRules } from '../source/context-files.ts';
import { walkDirectory } from '../source/walk.ts';

const versionControl = ['.git', '.hg', '.svn', '.bzr'];

/**
 * Bytes of the files that a directory gives as a context, for the percentage of a progress line: sizes are looked at and nothing is
 * read. `root` is a real path. Rejects like packing does, or with the signal's reason.
 */
export async function measureDirectory(
  root: string,
  dockerfile: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  const ignore = await findIgnoreRules(root, dockerfile);
  const always = new Set([dockerfile, ignore?.name].filter((name) => name !== undefined));
  const isDropped = (name: string): boolean => versionControl.includes(name);
  let bytes = 0;
  for await (const { stats } of walkDirectory(root, { ignore: ignore?.rules, always, isDropped, signal })) {
    if (stats.isFile()) bytes += stats.size;
  }
  return bytes;
}
