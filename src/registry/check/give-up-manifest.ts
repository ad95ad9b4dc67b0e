import type { Digest } from '../../domain/digest.ts';
import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import type { Change } from '../changes.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { timeOf } from '../state.ts';
import type { CheckRun } from './rooms.ts';
import type { GivenUp } from './set-aside.ts';

/** Takes a manifest whose bytes are lost, and its tags, out of every repository; `lost` names them. */
export function giveUpManifest(
  { state }: CheckRun,
  digest: Digest,
): (GivenUp & { lost: readonly string[] }) | undefined {
  const { index } = state;
  const at = timeOf(state);
  const holders = [...index.holdersOf(digest)].flatMap((name) => {
    const contents = index.repository(name);
    return contents === undefined ? [] : [{ repository: name as RepositoryName, contents }];
  });
  if (holders.length === 0) return undefined;
  const parts = holders.map(({ repository, contents }) => giveUpIn(repository, contents, digest, at));
  return {
    changes: parts.flatMap(({ changes }) => changes),
    takenBack: () => parts.flatMap(({ takenBack }) => takenBack),
    lost: parts.flatMap(({ lost }) => lost),
  };
}

function giveUpIn(
  repository: RepositoryName,
  contents: RepositoryContents,
  digest: Digest,
  at: string,
): { changes: Change[]; takenBack: Change[]; lost: string[] } {
  const tags = contents.tagsOf(digest);
  const [blob, manifest, deleted] = [
    contents.blobs.get(digest),
    contents.manifests.get(digest),
    contents.deleted.get(digest),
  ];
  const taken: Change[] = [
    ...(blob === undefined ? [] : [{ is: 'blob', repository, digest, record: blob } as const]),
    ...(manifest === undefined ? [] : [{ is: 'manifest', repository, digest, record: manifest } as const]),
    ...(deleted === undefined ? [] : [{ is: 'deleted', repository, digest, record: deleted } as const]),
    ...tags.flatMap((tag): Change[] => {
      const record = contents.tag(tag);
      return record === undefined ? [] : [{ is: 'tag', repository, tag: tag as Tag, record, at }];
    }),
  ];
  const changes = taken.toReversed().map((change): Change => {
    const { record: _, ...gone } = change as Extract<Change, { is: 'blob' }>;
    return gone;
  });
  const named = [manifest ?? deleted?.manifest].flatMap((each) => each?.references ?? []);
  // What it named is kept for as long as the blobs of a push that has just begun: it may be pushed again.
  const touched = named.flatMap(({ digest: one }): Change[] => {
    const found = contents.blobs.get(one);
    return found === undefined || one === digest
      ? []
      : [{ is: 'blob', repository, digest: one, record: { ...found, touchedTime: at } }];
  });
  const lost = [...tags.map((tag) => `${repository}:${tag}`), `${repository}@${digest}`];
  return { changes: [...touched, ...changes], takenBack: taken, lost };
}
