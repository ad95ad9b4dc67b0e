import type { Digest } from '../../domain/digest.ts';
import type { PushEvent } from '../../domain/event.ts';
import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import { matchesPattern } from '../access/pattern.ts';
import type { Change } from '../changes.ts';
import type { RegistryIndex } from '../contents.ts';
import { oci } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { repositoryTouch } from '../holding.ts';
import type { Decision } from '../ledger.ts';
import type { ManifestRecord, QuarantineState } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { subjectOfTag } from './attachments.ts';
import { isPolicySet, readPolicy } from './records.ts';

/*
 * Quarantine (registry.md §1.8): what is pushed where the policy holds cannot be pulled before somebody has passed it. The state is a
 * field of the manifest's record; what is about another manifest (signatures, reports) is free, for those who judge must be able to push it.
 */

type Judged = Pick<ManifestRecord, 'configMediaType' | 'subject' | 'references'>;

const imageConfigs = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
] as const;
const imageLayer = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./;

/** True for what an engine would run, whatever subject or tag it was given. */
function isRunnable({ configMediaType, references }: Judged): boolean {
  const hasConfig = imageConfigs.some((type) => type === configMediaType);
  return hasConfig && references.some(({ kind, mediaType }) => kind === 'layer' && imageLayer.test(mediaType ?? ''));
}

function isAttachment(manifest: Judged, tags: readonly string[]): boolean {
  const isAbout =
    manifest.subject !== undefined || (tags.length > 0 && tags.every((tag) => subjectOfTag(tag) !== undefined));
  return isAbout && !isRunnable(manifest);
}

/**
 * The state that a push gives a manifest. One that the repository has already keeps what it has: a judgement stays, and what was pushed
 * before there was a policy stays visible.
 */
export function quarantineOnPush(
  { index }: Pick<RegistryState, 'index'>,
  pushed: { readonly repository: string; readonly parsed: Judged; readonly tags: readonly string[] },
  before: ManifestRecord | undefined,
): QuarantineState | undefined {
  if (before !== undefined) return before.quarantine;
  const { status, repositories } = readPolicy(index, 'quarantinePolicy');
  if (status !== 'enabled' || !repositories.some((pattern) => matchesPattern(pattern, pushed.repository)))
    return undefined;
  return isAttachment(pushed.parsed, pushed.tags) ? undefined : 'Quarantined';
}

/** True while nobody but those who judge may pull it. */
export function isQuarantined(record: Pick<ManifestRecord, 'quarantine'> | undefined): boolean {
  return record?.quarantine === 'Quarantined' || record?.quarantine === 'Failed';
}

/** How a request can be asked for its right. */
export interface QuarantineAccess {
  allows(principal: Exchange['principal'], repository: string, action: 'quarantine-read' | 'push'): boolean;
}

/**
 * Throws what those get who may not see what is in quarantine: by tag it is not there; by digest it is denied. Who may push is told by
 * HEAD that it is not there, for clients push what they miss and give up when they are denied.
 */
export function refuseQuarantined(
  access: QuarantineAccess,
  exchange: Exchange,
  {
    repository,
    reference,
    record,
  }: { readonly repository: string; readonly reference: string; readonly record: ManifestRecord },
): void {
  if (!isQuarantined(record) || access.allows(exchange.principal, repository, 'quarantine-read')) return;
  const mayPush = exchange.method === 'HEAD' && access.allows(exchange.principal, repository, 'push');
  if (reference === record.digest && !mayPush) {
    const why = record.quarantine === 'Failed' ? 'it was found bad' : 'nobody has passed it yet';
    throw oci('DENIED', `the manifest is in quarantine: ${why}`, { detail: { quarantineState: record.quarantine } });
  }
  throw oci('MANIFEST_UNKNOWN', 'this repository has no such manifest', { detail: { name: repository, reference } });
}

/** The tags of a page that those see who may not see what is in quarantine. */
export function visibleTags(
  index: RegistryIndex,
  contents: RepositoryContents,
  tags: readonly string[],
): readonly string[] {
  if (!isPolicySet(index, 'quarantinePolicy')) return tags;
  return tags.filter((tag) => !isQuarantined(contents.find(tag)));
}

/** What is decided about a manifest. */
export interface QuarantineVerdict {
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly state: QuarantineState;
  readonly details?: string | undefined;
}

/**
 * Decides about a manifest; see {@link changeManifest}.
 * @throws MANIFEST_UNKNOWN (OCI); `storage-unavailable`.
 */
export function judgeQuarantined(state: RegistryState, verdict: QuarantineVerdict): Promise<ManifestRecord> {
  const { repository, digest } = verdict;
  return state.ledger.commit(
    (): Decision<ManifestRecord> => {
      const contents = state.index.repository(repository);
      const before = contents?.manifests.get(digest);
      if (contents === undefined || before === undefined) {
        throw oci('MANIFEST_UNKNOWN', 'this repository has no such manifest', { detail: { name: repository, digest } });
      }
      const after = withVerdict(before, verdict);
      return { changes: changeManifest(state, { repository, contents }, before, after), result: after };
    },
    { own: [repositoryTouch(repository)] },
  );
}

/** A repository, looked at in a decision. */
export interface QuarantinePlace {
  readonly repository: RepositoryName;
  readonly contents: RepositoryContents;
}

/**
 * The changes that put a manifest's record in the place of another. Where its quarantine changes, that of the children of an index changes
 * too, as far as nobody has decided about them; what can be pulled now is told of as if it had been pushed now, once.
 */
export function changeManifest(
  state: RegistryState,
  place: QuarantinePlace,
  before: ManifestRecord,
  after: ManifestRecord,
): Change[] {
  const { repository, contents } = place;
  const verdict = after.quarantine === before.quarantine ? undefined : after.quarantine;
  const below = verdict === undefined ? [] : waitingBelow(contents, before);
  const children = below.map((one) => ({ one, next: withVerdict(one, { state: verdict ?? 'Quarantined' }) }));
  return [{ one: before, next: after }, ...children].flatMap(({ one, next }): Change[] => [
    { is: 'manifest', repository, digest: one.digest, record: next },
    ...(isQuarantined(one) && !isQuarantined(next) ? passedEvents(state, contents, repository, next) : []),
  ]);
}

function withVerdict(
  record: ManifestRecord,
  { state, details }: Pick<QuarantineVerdict, 'state' | 'details'>,
): ManifestRecord {
  const { quarantineDetails: before, ...rest } = record;
  const text = details ?? before;
  return { ...rest, quarantine: state, ...(text !== undefined && { quarantineDetails: text }) };
}

/** The manifests below an index about which nobody has decided. */
function waitingBelow(contents: RepositoryContents, index: ManifestRecord): ManifestRecord[] {
  const found = new Map<string, ManifestRecord>();
  const visit = (record: ManifestRecord): void => {
    for (const { digest, kind } of record.references) {
      const child = kind === 'manifest' && !found.has(digest) ? contents.manifests.get(digest) : undefined;
      if (child?.quarantine !== 'Quarantined' || child.digest === index.digest) continue;
      found.set(digest, child);
      visit(child);
    }
  };
  visit(index);
  return [...found.values()];
}

function passedEvents(
  state: RegistryState,
  contents: RepositoryContents,
  repository: RepositoryName,
  record: ManifestRecord,
): Change[] {
  const tags = contents.tagsOf(record.digest) as readonly Tag[];
  return (tags.length === 0 ? [undefined] : tags).map((tag): Change => {
    const event = pushEventOf(state, contents, { repository, record, tag });
    return { is: 'event', id: event.id, record: event };
  });
}

/** The event of a manifest that becomes visible without a request that pushes it: passed, or had back. */
export function pushEventOf(
  state: RegistryState,
  contents: RepositoryContents,
  {
    repository,
    record,
    tag,
    by,
  }: {
    readonly repository: RepositoryName;
    readonly record: ManifestRecord;
    readonly tag: Tag | undefined;
    readonly by?: string;
  },
): PushEvent {
  const { digest, mediaType, size, configMediaType, subject } = record;
  const who = by ?? record.pushedBy;
  const previous = tag === undefined ? undefined : contents.tag(tag)?.history[0]?.digest;
  return {
    kind: 'push',
    id: `${String(state.clock.now()).padStart(14, '0')}-${state.newId()}`,
    ...{ repository, digest, mediaType, size, at: timeOf(state) },
    ...(configMediaType !== undefined && { configMediaType }),
    ...(who !== undefined && { by: who }),
    ...(tag !== undefined && { tag }),
    ...(previous !== undefined && { previousDigest: previous }),
    ...(subject !== undefined && { subject }),
  };
}
