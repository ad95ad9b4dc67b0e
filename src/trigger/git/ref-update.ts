import { fail, FailureError } from '../../domain/failure.ts';
import type { ChangedPaths, EventPerson, EventRepository, GitEvent, ParsedDelivery } from './event.ts';
import type { GitProviderName } from '../../domain/git-repository.ts';
import { given } from './given.ts';
import { isNoCommit, readCommit, readLine, readMessage, readRef } from './text.ts';

/** More refs than anyone pushes by hand in one go; forges stop sending events far below it. */
const maxEvents = 1000;

/** One ref that a push moved, as the forge's payload has it, not yet checked. */
export interface RefUpdate {
  readonly ref: string;
  /** Where `ref` and `after` stand in the payload. */
  readonly refField: string;
  readonly afterField: string;
  readonly before?: string | null | undefined;
  readonly after: string | null | undefined;
  /** What an annotated tag leads to, where the forge tells. */
  readonly taggedCommit?: string | null | undefined;
  readonly message?: string | null | undefined;
  readonly author?: string | null | undefined;
  readonly changed?: ChangedPaths | undefined;
}

/** Whose event it is. */
export interface Origin {
  readonly provider: GitProviderName;
  readonly repository: EventRepository;
  readonly sender?: EventPerson | undefined;
}

/** A person by the first name that is one. */
export function readPerson(...names: readonly (string | null | undefined)[]): EventPerson | undefined {
  const name = names.map(readLine).find((line) => line !== undefined);
  return name === undefined ? undefined : { name };
}

/**
 * The event that a ref update is, or why it is none.
 * @throws `invalid-request` naming the field when the ref or commit is none.
 */
export function readRefUpdate({ provider, repository, sender }: Origin, update: RefUpdate): GitEvent | string {
  const ref = readRef(update.ref, update.refField);
  const kind = /^refs\/(heads|tags)\/./.exec(ref)?.[1];
  if (kind === undefined) return `${ref} is neither a branch nor a tag`;
  // The short name is used alone as well, so it has to be a good one by itself.
  const name = readRef(ref.slice(`refs/${kind}/`.length), update.refField);
  const before = readHead(update.before, 'before');
  const base = { provider, repository, sender, ref, before };
  const commit = readHead(update.after, update.afterField);
  if (commit === undefined) return given({ ...base, kind: deletedKinds[kind === 'heads' ? 0 : 1], name });
  const texts = { message: readMessage(update.message), author: readPerson(update.author) };
  if (kind === 'heads') {
    return given({ ...base, ...texts, kind: 'push' as const, branch: name, commit, changed: update.changed });
  }
  const tagged = readHead(update.taggedCommit, update.afterField) ?? commit;
  return given({ ...base, ...texts, kind: 'tag' as const, tag: name, commit: tagged });
}

const deletedKinds = ['branch-deleted', 'tag-deleted'] as const;

/** A commit id, or undefined where the forge says that there is none. */
function readHead(text: string | null | undefined, field: string): string | undefined {
  return text === null || text === undefined || isNoCommit(text) ? undefined : readCommit(text, field);
}

/**
 * Reads every part of a delivery. A part that is faulty is told among `ignored` when another one is good, so that a strange tag does not
 * keep the branch beside it from starting its run.
 * @throws the first fault when there is no event at all.
 */
export function readParts(parts: readonly (() => GitEvent | string)[]): ParsedDelivery {
  if (parts.length > maxEvents) throw fail('invalid-request', `more than ${maxEvents} refs in one delivery`);
  const events: GitEvent[] = [];
  const ignored: string[] = [];
  const faults: FailureError[] = [];
  for (const part of parts) {
    try {
      const read = part();
      if (typeof read === 'string') ignored.push(read);
      else events.push(read);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      faults.push(error);
    }
  }
  if (events.length === 0 && faults[0] !== undefined) throw faults[0];
  return { events, ignored: [...ignored, ...faults.map((fault) => fault.failure.message)] };
}

/** A delivery that starts nothing. */
export function ignore(because: string): ParsedDelivery {
  return { events: [], ignored: [because] };
}
