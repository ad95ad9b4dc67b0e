import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RepositoryName, Tag } from '../../src/domain/image-reference.ts';
import type { Change } from '../../src/registry/changes.ts';
import { RegistryIndex } from '../../src/registry/contents.ts';
import { sha } from './rig.ts';

const repository = 'app' as RepositoryName;
const [pushed, moved] = ['2026-01-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'];
const [old, young] = [sha('old') as Digest, sha('young') as Digest];

function manifest(digest: Digest, references: readonly string[] = []): Extract<Change, { is: 'manifest' }> {
  const named = references.map((text) => ({ digest: sha(text) as Digest, kind: 'layer' as const }));
  const times = { createdTime: pushed, updatedTime: pushed };
  return {
    is: 'manifest',
    repository,
    digest,
    record: { digest, mediaType: 'm', size: 1, references: named, ...times },
  };
}

function tag(digest: Digest, at: string): Change {
  const record = { digest, createdTime: pushed, updatedTime: at, history: [] };
  return { is: 'tag', repository, tag: 'latest' as Tag, record, at };
}

function indexOf(changes: readonly Change[]): RegistryIndex {
  const index = new RegistryIndex();
  for (const change of changes) index.apply(change);
  return index;
}

const begin: Change[] = [
  { is: 'repository', repository, record: { createdTime: pushed, updatedTime: pushed } },
  manifest(old),
  manifest(young),
  tag(old, pushed),
];

describe('a snapshot that is written while changes are applied', () => {
  it.each([
    ['moves', tag(young, moved)],
    ['goes', { is: 'tag', repository, tag: 'latest' as Tag, at: moved } satisfies Change],
  ])('comes to the same time since which a manifest has no tag, whenever its tag %s', (_, change) => {
    for (let at = 0; at <= begin.length; at += 1) {
      const live = indexOf(begin);
      const written: Change[] = [];
      let count = 0;
      const step = (): void => {
        if (count === at) live.apply(change);
        count += 1;
      };
      step();
      for (const one of live.changes()) {
        written.push(one);
        step();
      }
      const read = indexOf([...written, change]);
      const since = read.repository(repository)?.manifests.get(old)?.untaggedSince;
      expect({ at, since }).toEqual({ at, since: moved });
      expect(read.repository(repository)?.tagNames).toEqual(live.repository(repository)?.tagNames);
    }
  });
});

describe('the users of a blob', () => {
  it('are no more those whose record was made anew without it', () => {
    const index = indexOf([...begin, manifest(old, ['a', 'b']), manifest(old, ['b'])]);
    const contents = index.repository(repository);
    expect([...(contents?.usersOf(sha('a') as Digest) ?? [])]).toEqual([]);
    expect([...(contents?.usersOf(sha('b') as Digest) ?? [])]).toEqual([old]);
  });
});
