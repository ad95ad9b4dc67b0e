import { LRUCache } from 'lru-cache';
import { fail } from '../../domain/failure.ts';
import type { Bucket } from './bucket.ts';

const remembered = 20_000;

/**
 * Keeps a key from being the folder of another one, which nothing in an object store does by itself. What was found out
 * is remembered, so that most writes ask for no more than whether something lies below their key. It finds what layouts
 * do wrong; two such writes at the same moment may both succeed.
 */
export class Folders {
  readonly #bucket: Bucket;
  readonly #root: string;
  readonly #kinds = new LRUCache<string, 'folder' | 'object'>({ max: remembered });

  /** @param root what the keys of objects begin with. */
  constructor(bucket: Bucket, root: string) {
    this.#bucket = bucket;
    this.#root = root;
  }

  /** Throws `conflict` when the key cannot be that of an object. */
  async check(key: string): Promise<void> {
    if (this.#kinds.get(key) === 'object') return;
    const names = key.split('/');
    const above = names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
    const unknown = above.filter((folder) => this.#kinds.get(folder) !== 'folder');
    const [below, ...heads] = await Promise.all([
      this.#bucket.page(`${this.#root}${key}/`, '', 1),
      ...unknown.map((folder) => this.#bucket.head(this.#root + folder)),
    ]);
    if (below.objects.length > 0 || heads.some((head) => head !== undefined)) {
      throw fail('conflict', 'an object with this key, or one that it would be the folder of, is there');
    }
  }

  /** Notes that an object has been written. */
  written(key: string): void {
    this.#kinds.set(key, 'object');
    for (let end = key.lastIndexOf('/'); end > 0; end = key.lastIndexOf('/', end - 1)) {
      this.#kinds.set(key.slice(0, end), 'folder');
    }
  }

  /** Notes that an object has been removed, and with it perhaps the folders that it was in. */
  removed(key: string): void {
    this.#kinds.delete(key);
  }
}
