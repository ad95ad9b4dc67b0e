import { objectField, numberField, textField } from './json-lines.ts';
import { removeQuietly } from './images.ts';
import { findKeptRuns, type KeptLimits } from './kept-workspace.ts';
import { labels } from './scope.ts';
import type { EngineCalls } from './request.ts';

/** What a sweep goes by. */
export interface SweepOptions {
  /** The installation's id: the sweep sees only what carries it. */
  readonly installation: string;
  /** Host of our registry, `127.0.0.1:5000`: images are ours when they are tagged for it. */
  readonly registryHost: string;
  /** Runs that still own things. */
  readonly liveRuns: Pick<ReadonlySet<string>, 'has'>;
  /** Which workspaces of failed runs stay; not given: none. */
  readonly keptWorkspaces?: KeptLimits;
  /** How many of our images stay, the ones tagged last. */
  readonly keepImages: number;
  /** Images tagged less than that many milliseconds ago stay: a run may be about to push them. */
  readonly minImageAgeMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Bytes that the builder's cache may keep; the oldest go first. Not given: the cache is left alone. */
  readonly maxCacheBytes?: number;
}

/** How much a sweep removed. */
export interface SweepResult {
  readonly containers: number;
  readonly networks: number;
  readonly volumes: number;
  /** Tags of images; an image goes with its last tag. */
  readonly images: number;
}

function listOf(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}

async function removeAll(
  engine: EngineCalls,
  paths: readonly string[],
  query: Record<string, string>,
): Promise<number> {
  let removed = 0;
  for (const path of paths) if (await removeQuietly(engine, path, query)) removed += 1;
  return removed;
}

/** What is labelled with this installation and owned by no live run. */
async function findOrphans(engine: EngineCalls, path: string, options: SweepOptions): Promise<readonly unknown[]> {
  const filters = JSON.stringify({ label: [`${labels.installation}=${options.installation}`] });
  const answer = await engine.json({ method: 'GET', path, query: { filters, all: '1' } });
  const all = listOf(path === '/volumes' ? objectField(answer, 'Volumes') : answer);
  return all.filter((thing) => {
    const run = textField(objectField(thing, 'Labels'), labels.run);
    return run === undefined || !options.liveRuns.has(run);
  });
}

interface TaggedImage {
  readonly tags: readonly string[];
  readonly taggedAt: number;
}

async function findOurImages(engine: EngineCalls, { registryHost }: SweepOptions): Promise<readonly TaggedImage[]> {
  const images = listOf(await engine.json({ method: 'GET', path: '/images/json' }));
  const ours = images
    .map((image) => ({
      id: textField(image, 'Id') ?? '',
      created: numberField(image, 'Created') * 1000,
      tags: listOf(objectField(image, 'RepoTags')).filter(
        (tag): tag is string => typeof tag === 'string' && tag.startsWith(`${registryHost}/`),
      ),
    }))
    .filter(({ tags }) => tags.length > 0);
  const dated: TaggedImage[] = [];
  for (const { id, created, tags } of ours) {
    const details = await engine.json({ method: 'GET', path: `/images/${id}/json` }).catch(() => undefined);
    const time = Date.parse(textField(objectField(details, 'Metadata'), 'LastTagTime') ?? '');
    dated.push({ tags, taggedAt: Number.isNaN(time) || time < created ? created : time });
  }
  return dated.sort((left, right) => right.taggedAt - left.taggedAt);
}

async function sweepImages(engine: EngineCalls, options: SweepOptions): Promise<number> {
  const images = await findOurImages(engine, options);
  const old = images
    .slice(options.keepImages)
    .filter(({ taggedAt }) => options.now - taggedAt >= options.minImageAgeMs)
    .flatMap(({ tags }) => tags);
  return removeAll(
    engine,
    old.map((tag) => `/images/${tag}`),
    {},
  );
}

/** Leaves alone the runs whose workspaces are kept, as if they lived. */
async function withKeptRuns(engine: EngineCalls, options: SweepOptions): Promise<SweepOptions> {
  const { installation, liveRuns, keptWorkspaces, now } = options;
  if (keptWorkspaces === undefined) return options;
  const kept = await findKeptRuns(engine, installation, { ...keptWorkspaces, now });
  return { ...options, liveRuns: { has: (run) => liveRuns.has(run) || kept.has(run) } };
}

/**
 * Removes what runs of this installation left on the engine: containers (with their volumes), networks and volumes that no live run
 * owns and that are not kept, and all but the newest of our images. Rejects when the engine cannot be asked.
 */
export async function sweepEngine(engine: EngineCalls, given: SweepOptions): Promise<SweepResult> {
  const options = await withKeptRuns(engine, given);
  const pathsOf = async (list: string, key: string, base: string): Promise<readonly string[]> =>
    (await findOrphans(engine, list, options)).map((thing) => `${base}/${textField(thing, key) ?? ''}`);
  const force = { force: '1', v: '1' };
  const containers = await removeAll(engine, await pathsOf('/containers/json', 'Id', '/containers'), force);
  const networks = await removeAll(engine, await pathsOf('/networks', 'Id', '/networks'), {});
  const volumes = await removeAll(engine, await pathsOf('/volumes', 'Name', '/volumes'), { force: '1' });
  const images = await sweepImages(engine, options);
  if (options.maxCacheBytes !== undefined) {
    const query = { 'keep-storage': String(options.maxCacheBytes), all: '1' };
    await engine.json({ method: 'POST', path: '/build/prune', query, deadlineMs: 300_000 });
  }
  return { containers, networks, volumes, images };
}
