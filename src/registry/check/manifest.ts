import { isDeepStrictEqual } from 'node:util';
import type { Digest } from '../../domain/digest.ts';
import type { RepositoryName } from '../../domain/image-reference.ts';
import type { CheckMessage, Finding } from '../../domain/registry-upkeep.ts';
import { linkBlob, statContent } from '../blobs.ts';
import { repositoryTouch } from '../holding.ts';
import { contentKey } from '../layout.ts';
import { parseManifest, type ParsedManifest } from '../manifest-document.ts';
import type { ManifestRecord, ManifestReference } from '../records.ts';
import { examine } from './examine.ts';
import { giveUpManifest } from './give-up-manifest.ts';
import { isOf, type ManifestSource } from './manifest-source.ts';
import type { CheckRun } from './rooms.ts';
import { setAside } from './set-aside.ts';

/** A manifest of a repository. */
export interface CheckedManifest {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  /** It was deleted, and can be had back. */
  readonly isDeleted: boolean;
}

/** Its bytes, its record, and what it names. */
export async function* checkManifest(
  run: CheckRun,
  source: ManifestSource,
  at: CheckedManifest,
): AsyncGenerator<CheckMessage> {
  const record = recordOf(run, at);
  if (record === undefined) return; // it went meanwhile
  const bytes = run.order.bytes === false ? await statted(run, at.digest) : await source.stored(at.digest);
  if (bytes === undefined || (bytes !== 'there' && !isOf(bytes, at.digest))) {
    if (recordOf(run, at) === undefined) return;
    yield run.found(await mendBytes(run, source, at, bytes === undefined));
    if (recordOf(run, at) === undefined) return;
  } else if (bytes !== 'there') yield* checkRecord(run, at, record, bytes);
  yield* checkReferences(run, at);
}

function recordOf({ state }: CheckRun, { repository, digest, isDeleted }: CheckedManifest): ManifestRecord | undefined {
  const contents = state.index.repository(repository);
  return isDeleted ? contents?.deleted.get(digest)?.manifest : contents?.manifests.get(digest);
}

async function statted({ state }: CheckRun, digest: Digest): Promise<'there' | undefined> {
  return (await statContent(state, digest)) === undefined ? undefined : 'there';
}

function placeOf({ repository, digest, isDeleted }: CheckedManifest): string {
  return `${repository}@${digest}${isDeleted ? ' (deleted)' : ''}`;
}

async function mendBytes(
  run: CheckRun,
  source: ManifestSource,
  at: CheckedManifest,
  isMissing: boolean,
): Promise<Finding> {
  const finding: Finding = {
    ...{ kind: isMissing ? 'manifest-missing' : 'manifest-damaged', severity: 'error', where: placeOf(at) },
    message: isMissing ? 'the bytes of the manifest are lost' : 'the stored bytes are not those of the manifest',
    hint: 'push the image again',
  };
  if (run.order.repair !== true) return finding;
  const good = await source.elsewhere(at.digest);
  if (good !== undefined) {
    await run.state.storage.put(contentKey(at.digest), good);
    return { ...finding, repaired: 'its bytes were written again' };
  }
  let lost: readonly string[] = [];
  const place = await setAside(run, at.digest, undefined, () => {
    const given = giveUpManifest(run, at.digest);
    lost = given?.lost ?? [];
    return given;
  });
  if (place === undefined) return finding;
  run.state.manifestBytes.forget(at.digest);
  const moved = place === 'nowhere' ? '' : `its bytes were moved to ${place}; `;
  return { ...finding, repaired: `${moved}taken away: ${lost.join(', ')}` };
}

const parsedFields = ['mediaType', 'artifactType', 'configMediaType', 'subject', 'references'] as const;

async function* checkRecord(
  run: CheckRun,
  at: CheckedManifest,
  record: ManifestRecord,
  bytes: Buffer,
): AsyncGenerator<CheckMessage> {
  const where = placeOf(at);
  let parsed: ParsedManifest;
  try {
    parsed = parseManifest(bytes, record.mediaType, run.state.limits.jsonDepth);
  } catch (error) {
    const message = `the manifest cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    yield run.found({ kind: 'manifest-damaged', severity: 'error', where, message, hint: 'delete it' });
    return;
  }
  const wrong = parsedFields.filter((field) => !isDeepStrictEqual(parsed[field], record[field]));
  const names = [...wrong, ...(record.size === bytes.length ? [] : ['size'])];
  if (names.length === 0) return;
  const isRepaired = run.order.repair === true && (await rewriteRecord(run, at, { ...parsed, size: bytes.length }));
  yield run.found({
    ...{ kind: at.isDeleted ? 'deleted-record-wrong' : 'manifest-record-wrong', severity: 'error', where },
    message: `the record differs from the manifest: ${names.join(', ')}`,
    ...(isRepaired && { repaired: 'the record was made anew' }),
  });
}

function rewriteRecord(
  run: CheckRun,
  at: CheckedManifest,
  right: ParsedManifest & { readonly size: number },
): Promise<boolean> {
  const { repository, digest, isDeleted } = at;
  const { index, ledger } = run.state;
  return ledger.commit(
    () => {
      const record = recordOf(run, at);
      const deleted = index.repository(repository)?.deleted.get(digest);
      if (record === undefined) return { changes: [], result: false };
      const { artifactType: _a, configMediaType: _c, subject: _s, ...rest } = record;
      const mended: ManifestRecord = { ...rest, ...right };
      return isDeleted && deleted !== undefined
        ? { changes: [{ is: 'deleted', repository, digest, record: { ...deleted, manifest: mended } }], result: true }
        : { changes: [{ is: 'manifest', repository, digest, record: mended }], result: true };
    },
    { own: [repositoryTouch(repository)] },
  );
}

async function* checkReferences(run: CheckRun, at: CheckedManifest): AsyncGenerator<CheckMessage> {
  const references = recordOf(run, at)?.references ?? [];
  for (const reference of new Map(references.map((each) => [each.digest, each])).values()) {
    if (!isMissing(run, at, reference)) continue;
    const isRepaired = run.order.repair === true && (await linkAgain(run, at.repository, reference));
    yield run.found({
      ...{ kind: 'reference-missing', severity: at.isDeleted ? 'warning' : 'error', where: placeOf(at) },
      message: `the repository does not have the ${reference.kind} ${reference.digest} that the manifest names`,
      ...(isRepaired ? { repaired: 'its bytes were there and were linked again' } : { hint: 'push the image again' }),
    });
  }
}

/** Foreign layers may be anywhere. */
function isMissing(run: CheckRun, at: CheckedManifest, { digest, foreign }: ManifestReference): boolean {
  if (foreign === true || recordOf(run, at) === undefined) return false;
  return run.state.index.repository(at.repository)?.holds(digest) !== true;
}

/** Bytes that are there and good are made a blob of the repository again. */
async function linkAgain(
  run: CheckRun,
  repository: RepositoryName,
  { digest, kind }: ManifestReference,
): Promise<boolean> {
  if (kind === 'manifest') return false;
  const found = await statContent(run.state, digest);
  if (found === undefined || (await examine(run, digest, found.size)).is !== 'good') return false;
  await linkBlob(run.state, { repository, digest, size: found.size, by: undefined });
  return (await statContent(run.state, digest)) !== undefined;
}
