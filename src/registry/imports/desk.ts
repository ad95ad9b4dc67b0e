import { fail } from '../../domain/failure.ts';
import type {
  ImportDesk,
  ImportJob,
  ImportOrder,
  ImportProgress,
  ImportSource,
  ImportTarget,
} from '../../domain/registry-import.ts';
import type { RepositoryName } from '../../domain/image-reference.ts';
import { copyImage } from '../../registry-client/copy/copy.ts';
import type { CopyEnd, CopyProgress } from '../../registry-client/copy/ports.ts';
import { isDigest } from '../../domain/digest.ts';
import type { Audit } from '../access/audit.ts';
import { createStoreEnd } from '../import-end.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { failureOf } from './failure.ts';
import type { OpenRemote } from './ports.ts';
import { readJob, writeJob } from './records.ts';

export interface ImportDeskOptions {
  /** What our registry is called. */
  readonly registry: string;
  /** Left out: only our own repositories can be copied from. */
  readonly openRemote?: OpenRemote | undefined;
  readonly audit: Audit;
}

interface Running {
  readonly key: string;
  job: ImportJob;
  done: Promise<void>;
}

/** How often it is written down how far an import is. */
const noteEveryMs = 5000;
const nothing: ImportProgress = { blobs: 0, knownBlobs: 0, bytes: 0, knownBytes: 0, manifests: 0 };

/** Imports images: each in the process that was asked for it. */
export class Imports implements ImportDesk {
  readonly #state: RegistryState;
  readonly #options: ImportDeskOptions;
  readonly #running = new Map<string, Running>();
  readonly #stop = new AbortController();

  constructor(state: RegistryState, options: ImportDeskOptions) {
    this.#state = state;
    this.#options = options;
  }

  async start(order: ImportOrder, who: string): Promise<ImportJob> {
    const state = this.#state;
    await state.ledger.refresh();
    const key = keyOf(order, who);
    const same = [...this.#running.values()].find((one) => one.key === key);
    if (same !== undefined) return same.job;
    this.#check(order);
    const now = timeOf(state);
    const job: ImportJob = {
      ...{ id: state.newId(), state: 'running', source: nameOf(order.source), targets: order.targets.map(targetName) },
      ...{ by: who, startedTime: now, updatedTime: now, progress: nothing },
    };
    const running: Running = { key, job, done: Promise.resolve() };
    this.#running.set(job.id, running);
    try {
      await writeJob(state, job);
    } catch (error) {
      this.#running.delete(job.id);
      throw error;
    }
    running.done = this.#run(running, order);
    return job;
  }

  async get(id: string): Promise<ImportJob | undefined> {
    const running = this.#running.get(id);
    if (running !== undefined) return running.job;
    await this.#state.ledger.refresh();
    return readJob(this.#state, id);
  }

  /** Ends what is under way; asked for again, it goes on. */
  async close(): Promise<void> {
    this.#stop.abort(fail('server-unreachable', 'the server is being stopped', { hint: 'import it again' }));
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #check({ source, targets, isForced }: ImportOrder): void {
    if (source.registry !== undefined && this.#options.openRemote === undefined)
      throw fail('unsupported', 'this registry reaches no other');
    for (const target of targets) {
      const { repository, tag } = target;
      const isThere = tag !== undefined && this.#state.index.repository(repository)?.tag(tag) !== undefined;
      if (isThere && !isForced)
        throw fail('conflict', `the tag ${targetName(target)} is there already`, {
          field: 'targetTags',
          hint: 'mode "Force" (--force) moves it',
        });
    }
  }

  async #run(running: Running, order: ImportOrder): Promise<void> {
    const notes = setInterval(() => {
      running.job = { ...running.job, updatedTime: timeOf(this.#state) };
      writeJob(this.#state, running.job).catch(() => undefined); // the next one says it
    }, noteEveryMs).unref();
    try {
      const digest = await this.#copyAll(running, order);
      running.job = { ...running.job, state: 'succeeded', digest };
    } catch (error) {
      running.job = { ...running.job, state: 'failed', error: this.#explain(error, running.job) };
    } finally {
      clearInterval(notes);
    }
    this.#audit(running.job, order);
    running.job = { ...running.job, updatedTime: timeOf(this.#state) };
    await writeJob(this.#state, running.job).catch((error: unknown) => {
      this.#state.logger.warn({ err: error, import: running.job.id }, 'the end of an import could not be written down');
    });
    this.#running.delete(running.job.id);
  }

  /** Each target in turn: for those that follow, the registry has all bytes. */
  async #copyAll(running: Running, order: ImportOrder): Promise<string> {
    const { source, targets, isForced, platforms, withReferrers } = order;
    const { signal } = this.#stop;
    const from = await this.#open(source, running.job.by, signal);
    let { reference } = source;
    let digest = '';
    let before = nothing;
    for (const { repository, tag } of targets) {
      const newTags = new Set(tag === undefined || isForced ? [] : [tag]);
      const to = this.#own(repository, running.job.by, newTags);
      const copied = await copyImage(from, to, {
        ...{ reference, tag, platforms, signal, referrers: withReferrers },
        onProgress: (progress) => {
          running.job = { ...running.job, progress: sum(before, progress) };
        },
      });
      before = running.job.progress;
      // The same image for all targets, wherever its tag moves meanwhile.
      reference = copied.sourceDigest;
      digest = copied.digest;
    }
    return digest;
  }

  async #open(source: ImportSource, by: string, signal: AbortSignal): Promise<CopyEnd> {
    const { registry } = source;
    const { openRemote } = this.#options;
    if (registry === undefined) return this.#own(source.repository as RepositoryName, by, new Set());
    if (openRemote === undefined) throw fail('unsupported', 'this registry reaches no other');
    return openRemote({ ...source, registry }, signal);
  }

  #own(repository: RepositoryName, by: string, newTags: ReadonlySet<string>): CopyEnd {
    return createStoreEnd(this.#state, { repository, by, newTags, registry: this.#options.registry });
  }

  #explain(error: unknown, job: ImportJob): NonNullable<ImportJob['error']> {
    const known = failureOf(error);
    if (known === undefined) {
      this.#state.logger.error({ err: error, import: job.id }, 'an import failed');
      return { reason: 'internal', message: 'an internal error occurred; the server log has the details' };
    }
    const { reason, message, hint } = known.failure;
    return { reason, message, ...(hint !== undefined && { hint }) };
  }

  #audit({ by, state, source }: ImportJob, { targets }: ImportOrder): void {
    for (const { repository, tag } of targets) {
      this.#options.audit({
        ...{ time: timeOf(this.#state), who: by, action: 'import', repository, name: source },
        ...(tag !== undefined && { reference: tag }),
        result: state === 'succeeded' ? 'done' : 'refused',
      });
    }
  }
}

function sum(before: ImportProgress, now: CopyProgress): ImportProgress {
  return {
    blobs: before.blobs + now.blobs + now.skippedBlobs,
    knownBlobs: before.knownBlobs + now.knownBlobs,
    bytes: before.bytes + now.bytes,
    knownBytes: before.knownBytes + now.knownBytes,
    manifests: before.manifests + now.manifests,
  };
}

function keyOf({ source: { credential, ...source }, ...rest }: ImportOrder, who: string): string {
  return JSON.stringify([who, source, credential?.userName, rest]);
}

function nameOf({ registry, repository, reference }: ImportSource): string {
  return `${registry === undefined ? '' : `${registry}/`}${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
}

function targetName({ repository, tag }: ImportTarget): string {
  return tag === undefined ? repository : `${repository}:${tag}`;
}
