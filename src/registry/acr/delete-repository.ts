import type { DeleteEvent } from '../../domain/event.ts';
import type { RepositoryName, Tag } from '../../domain/image-reference.ts';
import { doerOf, type Doer } from '../caller.ts';
import type { Change } from '../changes.ts';
import { oci } from '../errors.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { repositoryTouch } from '../holding.ts';
import type { Decision } from '../ledger.ts';
import { refuseLockedRepository } from '../locks.ts';
import { eventBy, forgetManifest, untag } from '../manifests.ts';
import type { ManifestRecord } from '../records.ts';
import type { RepositoryContents } from '../repository-contents.ts';
import { timeOf, type RegistryState } from '../state.ts';

/** Changes after which a commit takes no further manifest. */
const usualCommit = 2000;

/** What one commit of a deletion has taken away. */
interface Step {
  readonly manifests: readonly string[];
  readonly tags: readonly string[];
  readonly isLast: boolean;
}

const nothing: Step = { manifests: [], tags: [], isLast: true };

/** A deletion that is to begin: refused where there is nothing, or something locked. */
type Begin = 'begin' | 'go on';

/** DELETE of a repository: hidden at once, it goes with all its manifests and tags, each told of by an event. Answers with what went. */
export async function deleteRepository(
  state: RegistryState,
  exchange: Exchange,
  repository: RepositoryName,
): Promise<void> {
  const [manifestsDeleted, tagsDeleted]: [string[], string[]] = [[], []];
  for await (const step of deleteInSteps(state, repository, { begin: 'begin', doer: doerOf(exchange) })) {
    manifestsDeleted.push(...step.manifests);
    tagsDeleted.push(...step.tags);
  }
  sendJson(exchange, { manifestsDeleted, tagsDeleted }, { status: 202 });
}

/** Ends what a process began that did not live to end it. */
export async function resumeDeletions(state: RegistryState): Promise<void> {
  for (const [name, { record }] of [...state.index.repositories]) {
    if (record?.deleting === undefined) continue;
    const how = { begin: 'go on', doer: { by: record.deleting.by } } as const;
    for await (const _ of deleteInSteps(state, name as RepositoryName, how));
  }
}

async function* deleteInSteps(
  state: RegistryState,
  repository: RepositoryName,
  { begin, doer }: { readonly begin: Begin; readonly doer: Doer },
): AsyncGenerator<Step> {
  const touches = { own: [repositoryTouch(repository)] };
  let now = begin;
  for (;;) {
    const step = await state.ledger.commit(() => decideStep(state, repository, { begin: now, doer }), touches);
    yield step;
    if (step.isLast) return;
    now = 'go on';
  }
}

function decideStep(
  state: RegistryState,
  repository: RepositoryName,
  { begin, doer }: { readonly begin: Begin; readonly doer: Doer },
): Decision<Step> {
  const contents = state.index.repository(repository);
  const record = contents?.record;
  if (begin === 'begin') refuse(repository, contents);
  else if (record?.deleting === undefined) return { changes: [], result: nothing };
  if (contents === undefined || record === undefined) return { changes: [], result: nothing };
  const taken = takeManifests(state, { repository, contents, doer });
  if (taken.result.isLast)
    return { changes: [...taken.changes, { is: 'repository', repository }], result: taken.result };
  const deleting = record.deleting ?? { since: timeOf(state), ...(doer.by !== undefined && { by: doer.by }) };
  const marked: Change = { is: 'repository', repository, record: { ...record, deleting } };
  return { changes: [...taken.changes, marked], result: taken.result };
}

function refuse(repository: RepositoryName, contents: RepositoryContents | undefined): void {
  if (contents?.record === undefined)
    throw oci('NAME_UNKNOWN', 'there is no such repository', { detail: { name: repository } });
  // One that is being deleted was asked before.
  if (contents.exists) refuseLockedRepository(repository, contents);
}

interface Taking {
  readonly repository: RepositoryName;
  readonly contents: RepositoryContents;
  readonly doer: Doer;
}

/** Takes manifests with their tags as far as a commit goes, and at last the tags of manifests that are lost. */
function takeManifests(state: RegistryState, taking: Taking): Decision<Step> {
  const { repository, contents } = taking;
  const [changes, manifests, tags]: [Change[], string[], string[]] = [[], [], []];
  const touched = new Set<string>();
  for (const [digest, record] of contents.manifests) {
    if (changes.length >= usualCommit) return { changes, result: { manifests, tags, isLast: false } };
    const itsTags = contents.tagsOf(record.digest);
    changes.push(...untag(state, repository, itsTags), ...forgetOnce(state, taking, { record, touched }));
    changes.push(deletionOf(state, taking, record));
    manifests.push(digest);
    tags.push(...itsTags);
  }
  const dangling = contents.tagNames.filter((tag) => !contents.manifests.has(contents.tag(tag)?.digest ?? ''));
  changes.push(...untag(state, repository, dangling));
  return { changes, result: { manifests, tags: [...tags, ...dangling], isLast: true } };
}

/** Images share layers: each is noted once. */
function forgetOnce(
  state: RegistryState,
  { repository, doer }: Taking,
  { record, touched }: { readonly record: ManifestRecord; readonly touched: Set<string> },
): Change[] {
  return forgetManifest(state, repository, record, doer.by).filter((change) => {
    if (change.is !== 'blob') return true;
    const isNew = !touched.has(change.digest);
    touched.add(change.digest);
    return isNew;
  });
}

function deletionOf(state: RegistryState, { repository, contents, doer }: Taking, record: ManifestRecord): Change {
  const tags = contents.tagsOf(record.digest) as readonly Tag[];
  const event: DeleteEvent = { ...eventBy(state, doer, repository, record), kind: 'delete', tags };
  return { is: 'event', id: event.id, record: event };
}
