import type { Digest } from '../../domain/digest.ts';
import type { RepositoryName } from '../../domain/image-reference.ts';
import type { CheckMessage, Finding } from '../../domain/registry-upkeep.ts';
import type { Change } from '../changes.ts';
import type { BlobRecord } from '../records.ts';
import { examine, type Content } from './examine.ts';
import { Progress, type CheckRun } from './rooms.ts';
import { setAside, type GivenUp } from './set-aside.ts';

/** Contents that are looked at together. */
const atOnce = 8;

/** Every blob of every repository, once: is it there, has it the size of its record, has it its digest? */
export async function* checkContents(run: CheckRun): AsyncGenerator<CheckMessage, { count: number; bytes: number }> {
  const sizes = collectBlobs(run);
  const progress = new Progress(run, 'contents', sizes.size);
  const all = [...sizes];
  let bytes = 0;
  for (let start = 0; start < all.length; start += atOnce) {
    run.signal.throwIfAborted();
    const some = all.slice(start, start + atOnce);
    const looks = some.map(async ([digest, size]) => ({ digest, size, content: await examine(run, digest, size) }));
    for (const { digest, size, content } of await Promise.all(looks)) {
      if (content.is !== 'good') yield* report(run, digest, size, content);
      bytes += size;
    }
    yield* progress.step(some.length);
  }
  yield progress.end();
  return { count: all.length, bytes };
}

function collectBlobs({ state, order }: CheckRun): Map<Digest, number> {
  const sizes = new Map<Digest, number>();
  for (const [name, contents] of state.index.repositories) {
    if (order.repository !== undefined && order.repository !== name) continue;
    for (const [digest, { size }] of contents.blobs) sizes.set(digest as Digest, size);
  }
  return sizes;
}

async function* report(
  run: CheckRun,
  digest: Digest,
  size: number,
  content: Exclude<Content, { is: 'good' }>,
): AsyncGenerator<CheckMessage> {
  const holders = holdersOf(run, digest);
  if (holders.length === 0) return; // deleted meanwhile
  const names = holders.map(({ repository }) => repository).join(', ');
  const finding = findingOf(run, digest, content, names);
  if (run.order.repair !== true) {
    yield run.found(finding);
    return;
  }
  const place = await setAside(run, digest, size, () => giveUpBlob(run, digest));
  if (place === undefined && (await examine(run, digest, size)).is === 'good') return; // somebody has pushed it again
  const moved = place === 'nowhere' || place === undefined ? '' : `moved to ${place}, and `;
  yield run.found(place === undefined ? finding : { ...finding, repaired: `${moved}taken out of ${names}` });
}

/** What is linked, not there, and named by no manifest was never acknowledged: a push ended there, and clients are told that it is not there. */
function findingOf(run: CheckRun, digest: Digest, content: Exclude<Content, { is: 'good' }>, names: string): Finding {
  const isUsed = holdersOf(run, digest).some(
    ({ repository }) => (run.state.index.repository(repository)?.usersOf(digest).size ?? 0) > 0,
  );
  if (content.is === 'missing' && !isUsed) {
    const message = `a push of this blob into ${names} did not come to its end`;
    return { kind: 'content-missing', severity: 'note', where: digest, message };
  }
  const isMissing = content.is === 'missing';
  return {
    ...{ kind: isMissing ? 'content-missing' : 'content-damaged', severity: 'error', where: digest },
    message: isMissing ? `the bytes of a blob of ${names} are lost` : `a blob of ${names} is damaged: ${content.why}`,
    hint: `push what holds it into ${names} again`,
  };
}

function holdersOf({ state }: CheckRun, digest: Digest): { repository: RepositoryName; record: BlobRecord }[] {
  return [...state.index.holdersOf(digest)].flatMap((name) => {
    const record = state.index.repository(name)?.blobs.get(digest);
    return record === undefined ? [] : [{ repository: name as RepositoryName, record }];
  });
}

function giveUpBlob(run: CheckRun, digest: Digest): GivenUp | undefined {
  const { index } = run.state;
  const links = holdersOf(run, digest);
  // Bytes that are a manifest's too are put right with it.
  if (links.length === 0 || links.length < index.holdersOf(digest).size) return undefined;
  if (links.some(({ repository }) => index.repository(repository)?.manifests.has(digest) === true)) return undefined;
  return {
    changes: links.map(({ repository }): Change => ({ is: 'blob', repository, digest })),
    takenBack: () =>
      links
        .filter(({ repository }) => index.repository(repository)?.blobs.has(digest) !== true)
        .map(({ repository, record }): Change => ({ is: 'blob', repository, digest, record })),
  };
}
