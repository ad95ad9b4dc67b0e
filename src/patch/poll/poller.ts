import type { ImageAtDigest, ObservedImage } from '../../domain/base-image.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Digest } from '../../domain/digest.ts';
import type { PatchQueue } from '../../queue/ports.ts';
import type { BaseImageStore } from '../../store/ports.ts';
import { newestTag } from '../graph/followed-tags.ts';
import type { AskedTag, AskedTags, ForeignRegistries, Unanswered } from './foreign-registries.ts';
import type { Lease } from './lease.ts';
import { Timetable, type PollState } from './timetable.ts';
import type { Watched, WatchList } from './watch-list.ts';

export interface PollerOptions {
  readonly watchList: WatchList;
  readonly baseImages: Pick<BaseImageStore, 'observed' | 'observe'>;
  readonly registries: Pick<ForeignRegistries, 'headTag' | 'listTags'>;
  readonly publish: PatchQueue['publish'];
  /** So that one of several processes asks. */
  readonly lease: Lease;
  readonly clock: Clock;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  /** Milliseconds between two questions of something in a registry, by host in lower case; undefined: it is never asked. */
  readonly intervalOf: (registry: string) => number | undefined;
  /** Told once of what a registry does not give, until it does. */
  readonly onUnanswered: (subject: string, because: string) => void;
}

/** Asks registries that tell nothing whether bases have changed. */
export interface Poller {
  /**
   * Asks what is due, if it is this process's turn; to be called every few seconds, not twice at the same time. Rejects when the store or
   * the queue is away: what was to be told is asked for again.
   */
  poll(): Promise<void>;
  /** Lets another process take over. */
  close(): Promise<void>;
}

/** Questions to one registry at a time. */
const atOnce = 4;

type Learned = Pick<PollState, 'etag' | 'digest' | 'newest'>;
type Result = { readonly asked: AskedTag | AskedTags; readonly learned: Learned };

function isUnanswered(asked: AskedTag | AskedTags): asked is Unanswered {
  return asked.kind !== 'found' && asked.kind !== 'same';
}

class Polling implements Poller {
  readonly #options: PollerOptions;
  readonly #timetable: Timetable;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#timetable = new Timetable(options);
  }

  async poll(): Promise<void> {
    const { lease, watchList, clock } = this.#options;
    if (!(await lease.hold())) {
      this.#timetable.clear();
      return;
    }
    this.#timetable.follow(await watchList.read(), clock.now());
    const due = [...this.#timetable.due(clock.now()).values()];
    const errors = (await Promise.all(due.map((states) => this.#askRegistry(states)))).flat();
    if (errors.length > 0) throw errors[0];
  }

  async close(): Promise<void> {
    this.#timetable.clear();
    await this.#options.lease.release();
  }

  /** Works off what is due of one registry, until there is no more or it wants to be left alone. */
  async #askRegistry(states: readonly PollState[]): Promise<readonly unknown[]> {
    const waiting = [...states];
    const errors: unknown[] = [];
    const work = async (): Promise<void> => {
      for (let state = waiting.shift(); state !== undefined; state = waiting.shift()) {
        if (this.#timetable.isPaused(state.watched.registry, this.#options.clock.now())) return;
        try {
          await this.#ask(state);
        } catch (error) {
          this.#timetable.putOff(state, this.#options.clock.now());
          errors.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, states.length) }, work));
    return errors;
  }

  async #ask(state: PollState): Promise<void> {
    const { clock, onUnanswered } = this.#options;
    const { watched } = state;
    const { asked, learned } =
      watched.kind === 'tag' ? await this.#askTag(state, watched) : await this.#askPattern(state, watched);
    if (!isUnanswered(asked)) this.#timetable.answered(state, asked, clock.now(), learned);
    else if (this.#timetable.unanswered(state, asked, clock.now())) onUnanswered(watched.key, asked.because);
  }

  async #askTag(state: PollState, { image, tasks, digests }: Extract<Watched, { kind: 'tag' }>): Promise<Result> {
    const asked = await this.#options.registries.headTag(image, tasks, state.etag);
    if (isUnanswered(asked)) return { asked, learned: {} };
    const learned = asked.kind === 'same' ? state : { etag: asked.etag, digest: asked.digest };
    if (learned.digest !== undefined) await this.#compare({ ...image, digest: learned.digest }, digests);
    return { asked, learned: keep(learned) };
  }

  async #askPattern(state: PollState, { pattern, tasks }: Extract<Watched, { kind: 'pattern' }>): Promise<Result> {
    const { registries, baseImages } = this.#options;
    const { registry, repository } = pattern;
    const listed = await registries.listTags({ registry, repository }, tasks);
    if (isUnanswered(listed)) return { asked: listed, learned: {} };
    const newest = newestTag(pattern, imagesOf(pattern, listed.tags));
    if (newest === undefined || newest === state.newest) return { asked: listed, learned: {} };
    const image = { registry, repository, tag: newest };
    const asked = await registries.headTag(image, tasks);
    if (asked.kind !== 'found') return { asked, learned: {} };
    const [seen] = await baseImages.observed([image]);
    if (seen?.image.digest !== asked.digest) await this.#tell({ ...image, digest: asked.digest });
    return { asked, learned: { newest } };
  }

  /** Tells of what a tag stands for now, if it is not what it was seen with, or what tasks that nobody saw it for were built on. */
  async #compare(image: ImageAtDigest, builtOn: ReadonlySet<Digest>): Promise<void> {
    const { baseImages, clock } = this.#options;
    const [seen] = await baseImages.observed([image]);
    if (seen?.image.digest === image.digest) return;
    const isChange = seen !== undefined || [...builtOn].some((digest) => digest !== image.digest);
    if (isChange) await this.#tell(image);
    else await baseImages.observe(firstSight(image, clock), 0);
  }

  async #tell(image: ImageAtDigest): Promise<void> {
    const { publish, clock } = this.#options;
    await publish({ kind: 'told', update: { image, source: 'poll', at: new Date(clock.now()).toISOString() } });
  }
}

function firstSight(image: ImageAtDigest, clock: Clock): Omit<ObservedImage, 'changes'> {
  return { image, since: new Date(clock.now()).toISOString() };
}

function* imagesOf(
  { registry, repository }: Pick<ImageIdentity, 'registry' | 'repository'>,
  tags: readonly string[],
): Generator<ImageIdentity> {
  for (const tag of tags) yield { registry, repository, tag };
}

function keep({ etag, digest }: { etag?: string | undefined; digest?: Digest | undefined }): Learned {
  return { ...(etag !== undefined && { etag }), ...(digest !== undefined && { digest }) };
}

/** Makes the poller of registries that tell nothing of pushes. */
export function createPoller(options: PollerOptions): Poller {
  return new Polling(options);
}
