import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mkdir, open, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

interface Entry {
  readonly inode: number;
  readonly isDirectory: boolean;
}

type Names = ReadonlyMap<string, Entry>;

/**
 * Knows what of a directory would be there after a power cut: of each file the bytes that it had at its last sync, and of each
 * directory the names that it had at its own. Watches the syncs of this process, by their file descriptors (Linux).
 */
export class PowerCut {
  readonly #root: string;
  readonly #bytes = new Map<number, Buffer>();
  readonly #names = new Map<number, Names>();
  readonly #restore: () => void;

  private constructor(root: string, restore: () => void) {
    this.#root = root;
    this.#restore = restore;
  }

  /** Begins to watch; `root` is taken to be there for certain. */
  static async watch(root: string): Promise<PowerCut> {
    const handle = await open('/dev/null');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();

    const { sync, datasync } = prototype;
    const cut = new PowerCut(root, () => Object.assign(prototype, { sync, datasync }));
    const watching = (real: typeof sync) =>
      async function (this: FileHandle): Promise<void> {
        // What is written while the sync runs may be lost: what counts is what was there before it.
        const note = cut.#look(this.fd);
        await real.call(this);
        note();
      };
    Object.assign(prototype, { sync: watching(sync), datasync: watching(datasync) });
    return cut;
  }

  stop(): void {
    this.#restore();
  }

  /** Makes what would be left in another directory. @param isLucky says of each unsynced thing whether it is there all the same. */
  async leave(target: string, isLucky: () => boolean = () => false): Promise<void> {
    await this.#copy(this.#root, target, isLucky);
  }

  #look(fd: number): () => void {
    const path = readlinkSync(`/proc/self/fd/${String(fd)}`);
    if (!path.startsWith(this.#root)) return () => undefined;
    const found = statSync(`/proc/self/fd/${String(fd)}`);
    if (found.isDirectory()) {
      const names = listNames(path);
      return () => void this.#names.set(found.ino, names);
    }
    const bytes = readFileSync(`/proc/self/fd/${String(fd)}`);
    return () => void this.#bytes.set(found.ino, bytes);
  }

  async #copy(directory: string, target: string, isLucky: () => boolean): Promise<void> {
    await mkdir(target, { recursive: true });
    const now = listNames(directory);
    const kept = new Map(this.#names.get(statSync(directory).ino) ?? []);
    for (const [name, entry] of now) if (isLucky()) kept.set(name, entry);
    for (const [name, { inode, isDirectory }] of kept) {
      const path = join(directory, name);
      const isSame = now.get(name)?.inode === inode;
      if (isDirectory) {
        if (isSame) await this.#copy(path, join(target, name), isLucky);
        continue;
      }
      const bytes = isSame && isLucky() ? readFileSync(path) : (this.#bytes.get(inode) ?? Buffer.alloc(0));
      await writeFile(join(target, name), bytes);
    }
  }
}

function listNames(directory: string): Names {
  const names = new Map<string, Entry>();
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isFile() && !entry.isDirectory()) continue;
    const inode = statSync(join(directory, entry.name)).ino;
    names.set(entry.name, { inode, isDirectory: entry.isDirectory() });
  }
  return names;
}
