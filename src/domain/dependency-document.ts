import type { ImageDependencies, ImageIdentity } from './dependencies.ts';
import type { OutputImage } from './run.ts';
import { formatImageIdentity } from './image-reference.ts';

/** An image in a dependency list. */
export interface ImageEntry {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  /** A name that the image can be pulled by. */
  readonly reference: string;
}

/** An entry of a run's dependency list, in the shape of the original (acr-tasks.md §1.6); absent members are left out. */
export interface DependencyEntry {
  readonly image: ImageEntry | null;
  readonly 'runtime-dependency'?: ImageEntry;
  readonly 'buildtime-dependency'?: readonly ImageEntry[];
  readonly git: { readonly 'git-head-revision'?: string };
}

/** The original's name for Docker Hub in its documents. */
const hubInDocuments = 'registry.hub.docker.com';

function entryOf(image: ImageIdentity, pushed: readonly OutputImage[] = []): ImageEntry {
  const same = ({ registry, repository, tag }: OutputImage): boolean =>
    registry === image.registry && repository === image.repository && tag === image.tag;
  const digest = image.digest ?? pushed.findLast(same)?.digest;
  return {
    registry: image.registry === 'docker.io' ? hubInDocuments : image.registry,
    repository: image.repository,
    ...(image.tag !== undefined && { tag: image.tag }),
    ...(digest !== undefined && { digest }),
    reference: formatImageIdentity(image),
  };
}

function describe(
  { image, runtime, buildTime, commit }: ImageDependencies,
  pushed: readonly OutputImage[],
): DependencyEntry {
  return {
    image: image === undefined ? null : entryOf(image, pushed),
    ...(runtime !== undefined && { 'runtime-dependency': entryOf(runtime) }),
    ...(buildTime.length > 0 && { 'buildtime-dependency': buildTime.map((one) => entryOf(one)) }),
    git: commit === undefined ? {} : { 'git-head-revision': commit },
  };
}

/**
 * The dependency list of a run as documents and logs show it; the digests of its own images come from what it pushed. Of builds of the
 * same name (a step that is repeated) the last one counts.
 */
export function describeDependencies(
  dependencies: readonly ImageDependencies[],
  pushed: readonly OutputImage[],
): readonly DependencyEntry[] {
  const entries = new Map<string, DependencyEntry>();
  for (const one of dependencies) {
    const entry = describe(one, pushed);
    entries.set(entry.image?.reference ?? JSON.stringify(entry), entry);
  }
  return [...entries.values()];
}

const members = ['registry', 'repository', 'tag', 'digest'] as const;

/** A tag such as `20` or `on` is no text in YAML unless it is quoted. */
function scalar(text: string): string {
  return /^(?:[0-9._eExXo+-]+|true|false|null|yes|no|on|off|y|n)$/i.test(text) ? `"${text}"` : text;
}

function entryLines(entry: ImageEntry, indent: string): readonly string[] {
  return members.flatMap((name) => (entry[name] === undefined ? [] : [`${indent}${name}: ${scalar(entry[name])}`]));
}

function listLines(entries: readonly ImageEntry[]): readonly string[] {
  return entries.flatMap((entry) =>
    entryLines(entry, '    ').map((line, at) => (at === 0 ? `  - ${line.trim()}` : line)),
  );
}

/** The dependency list as lines of a run's log: YAML, as the original's service shows it. */
export function formatDependencies(entries: readonly DependencyEntry[]): readonly string[] {
  return entries.flatMap((entry) => {
    const { image, git, 'runtime-dependency': runtime, 'buildtime-dependency': buildTime } = entry;
    const revision = git['git-head-revision'];
    return [
      ...(image === null ? ['- image: null'] : ['- image:', ...entryLines(image, '    ')]),
      ...(runtime === undefined ? [] : ['  runtime-dependency:', ...entryLines(runtime, '    ')]),
      ...(buildTime === undefined ? [] : ['  buildtime-dependency:', ...listLines(buildTime)]),
      ...(revision === undefined ? ['  git: {}'] : ['  git:', `    git-head-revision: ${scalar(revision)}`]),
    ];
  });
}

function maskImage(image: ImageIdentity, mask: (text: string) => string): ImageIdentity {
  const { registry, repository, tag, platforms } = image;
  return {
    ...image,
    registry: mask(registry),
    repository: mask(repository),
    ...(tag !== undefined && { tag: mask(tag) }),
    ...(platforms && { platforms: platforms.map((one) => ({ ...one, platform: mask(one.platform) })) }),
  };
}

/** Masks secrets in the names of images: a build argument can hold one, and stand in a `FROM`. */
export function maskDependencies(
  dependencies: readonly ImageDependencies[],
  mask: (text: string) => string,
): readonly ImageDependencies[] {
  return dependencies.map(({ image, runtime, buildTime, commit, revision, recipe }) => ({
    ...(image && { image: maskImage(image, mask) }),
    ...(runtime && { runtime: maskImage(runtime, mask) }),
    buildTime: buildTime.map((one) => maskImage(one, mask)),
    ...(commit !== undefined && { commit }),
    ...(revision !== undefined && { revision }),
    ...(recipe !== undefined && { recipe }),
  }));
}
