import { isDeepStrictEqual } from 'node:util';
import type { RegistryIndex } from '../contents.ts';
import type { RepositoryContents } from '../repository-contents.ts';

/** Something that two states say differently. */
interface Difference {
  readonly where: string;
  readonly why: string;
}

/** What the state in memory and the stored one say differently of a repository; undefined: of all that belongs to none. */
export function* compareIndexes(
  memory: RegistryIndex,
  stored: RegistryIndex,
  name: string | undefined,
): Generator<Difference> {
  if (name === undefined) {
    yield* compareMaps('content', memory.condemned, stored.condemned);
    yield* compareMaps('event', memory.events, stored.events);
    for (const kind of new Set([...memory.kinds, ...stored.kinds])) {
      yield* compareMaps(kind, memory.documents(kind), stored.documents(kind));
    }
    return;
  }
  const [ours, theirs] = [memory.repository(name), stored.repository(name)];
  if (ours === undefined && theirs === undefined) return;
  const parts = ['manifests', 'tags', 'blobs', 'deleted'] as const;
  for (const part of parts) yield* compareMaps(`${name} ${part}`, mapOf(ours, part), mapOf(theirs, part));
  if (!isSame(ours?.record, theirs?.record)) yield { where: name, why: 'the record of the repository differs' };
}

function mapOf(
  contents: RepositoryContents | undefined,
  part: 'manifests' | 'tags' | 'blobs' | 'deleted',
): ReadonlyMap<string, object> {
  return contents?.[part] ?? new Map<string, object>();
}

function* compareMaps(
  what: string,
  memory: ReadonlyMap<string, object>,
  stored: ReadonlyMap<string, object>,
): Generator<Difference> {
  for (const [key, record] of memory) {
    const other = stored.get(key);
    const where = `${what} ${key}`;
    if (other === undefined) yield { where, why: 'it is in memory, and is not stored' };
    else if (!isSame(record, other)) yield { where, why: 'what is stored differs from what is in memory' };
  }
  for (const key of stored.keys()) {
    if (!memory.has(key)) yield { where: `${what} ${key}`, why: 'it is stored, and is not in memory' };
  }
}

/** Records are the same when their JSON says the same, in whatever order. */
function isSame(a: object | undefined, b: object | undefined): boolean {
  if (a === b) return true;
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return (
    left === right || (a !== undefined && b !== undefined && isDeepStrictEqual(JSON.parse(left), JSON.parse(right)))
  );
}
