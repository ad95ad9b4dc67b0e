import type { Amount } from '../../domain/registry-upkeep.ts';
import type { Digest } from '../../domain/digest.ts';
import type { RepositoryName } from '../../domain/image-reference.ts';
import type { Change } from '../changes.ts';
import type { RegistryIndex } from '../contents.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { referenceTouch } from '../holding.ts';
import type { Decision } from '../ledger.ts';
import type { RegistryState } from '../state.ts';

/** A blob of a repository. */
export interface LinkedBlob {
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** Records that are looked at before other work gets its turn. */
const looksAtOnce = 2000;

/** The blobs that no manifest of their repository has named, and nobody has touched, since `before`; other work gets its turn between. */
export async function* findUnused(index: RegistryIndex, before: number): AsyncGenerator<LinkedBlob & { size: number }> {
  let looks = 0;
  for (const [name, contents] of index.repositories) {
    for (const [digest, { size }] of contents.blobs) {
      if (isUnused(contents, digest, before)) {
        yield { repository: name as RepositoryName, digest: digest as Digest, size };
      }
      looks += 1;
      if (looks % looksAtOnce === 0) await new Promise(setImmediate);
    }
  }
}

function isUnused(contents: RepositoryContents, digest: string, before: number): boolean {
  const blob = contents.blobs.get(digest);
  return blob !== undefined && Date.parse(blob.touchedTime) <= before && contents.usersOf(digest as Digest).size === 0;
}

/** Takes blobs out of their repositories, those that are still unused: a manifest may have come to name one, or a client asked for it. */
export function unlink(state: RegistryState, blobs: readonly LinkedBlob[], before: number): Promise<Amount> {
  const decide = (): Decision<Amount> => {
    const changes: Change[] = [];
    let bytes = 0;
    for (const { repository, digest } of blobs) {
      const contents = state.index.repository(repository);
      if (contents === undefined || !isUnused(contents, digest, before)) continue;
      changes.push({ is: 'blob', repository, digest });
      bytes += contents.blobs.get(digest)?.size ?? 0;
    }
    return { changes, result: { count: changes.length, bytes } };
  };
  const own = blobs.map(({ repository, digest }) => referenceTouch(repository, digest));
  return state.ledger.commit(decide, { own });
}
