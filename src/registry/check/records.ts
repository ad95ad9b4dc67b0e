import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import type { CheckMessage } from '../../domain/registry-upkeep.ts';
import type { Digest } from '../../domain/digest.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { referenceTouch, repositoryTouch } from '../holding.ts';
import { timeOf } from '../state.ts';
import { checkManifest } from './manifest.ts';
import { ManifestSource } from './manifest-source.ts';
import { Progress, type CheckRun } from './rooms.ts';

/** What was counted on the way. */
export interface RecordCount {
  repositories: number;
  manifests: number;
  tags: number;
}

/** Every manifest against its bytes and against what it names, deleted ones that can be had back among them, and every tag. */
export async function* checkRecords(run: CheckRun): AsyncGenerator<CheckMessage, RecordCount> {
  const { index } = run.state;
  const names = run.order.repository === undefined ? [...index.repositories.keys()] : [run.order.repository];
  const total = names.reduce((sum, name) => sum + sizeOf(index.repository(name)), 0);
  const progress = new Progress(run, 'records', total);
  const source = new ManifestSource(run);
  const count: RecordCount = { repositories: 0, manifests: 0, tags: 0 };
  for (const name of names) {
    const contents = index.repository(name);
    if (contents === undefined) continue;
    count.repositories += 1;
    const repository = name as RepositoryName;
    for (const isDeleted of [false, true]) {
      for (const digest of [...(isDeleted ? contents.deleted : contents.manifests).keys()]) {
        run.signal.throwIfAborted();
        yield* checkManifest(run, source, { repository, digest: digest as Digest, isDeleted });
        count.manifests += 1;
        yield* progress.step();
      }
    }
    yield* checkTags(run, repository, progress);
    count.tags += contents.tags.size;
  }
  yield progress.end();
  return count;
}

function sizeOf(contents: RepositoryContents | undefined): number {
  return contents === undefined ? 0 : contents.manifests.size + contents.deleted.size + contents.tags.size;
}

async function* checkTags(run: CheckRun, repository: RepositoryName, progress: Progress): AsyncGenerator<CheckMessage> {
  const contents = run.state.index.repository(repository);
  for (const tag of contents?.tagNames ?? []) {
    const record = contents?.tag(tag);
    if (record !== undefined && contents?.manifests.has(record.digest) !== true) {
      const repaired = run.order.repair === true && (await removeTag(run, repository, tag as Tag));
      yield run.found({
        ...{ kind: 'tag-dangling', severity: 'error', where: `${repository}:${tag}` },
        message: `the tag stands for ${record.digest}, which the repository does not have`,
        ...(repaired ? { repaired: 'the tag was removed' } : { hint: 'push the image again, or delete the tag' }),
      });
    }
    yield* progress.step();
  }
}

function removeTag({ state }: CheckRun, repository: RepositoryName, tag: Tag): Promise<boolean> {
  const touches = { shared: [repositoryTouch(repository)], own: [referenceTouch(repository, tag)] };
  return state.ledger.commit(() => {
    const contents = state.index.repository(repository);
    const record = contents?.tag(tag);
    if (record === undefined || contents?.manifests.has(record.digest) === true) return { changes: [], result: false };
    return { changes: [{ is: 'tag', repository, tag, at: timeOf(state) }], result: true };
  }, touches);
}
