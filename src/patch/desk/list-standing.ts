import { referenceKeyOf } from '../../domain/base-image.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { BaseImageStore } from '../../store/ports.ts';
import type { GraphCache } from '../graph/graph-cache.ts';
import type { StandingImage, StandingPage, StandingQuery } from './ports.ts';
import { describeLine, isBehind, listLines, pushedLast, type Newest, type StandingLine } from './standing.ts';

export interface StandingDeps {
  readonly graph: GraphCache;
  readonly baseImages: Pick<BaseImageStore, 'observed'>;
  /** Why changes of an image are not noticed, as a half-sentence in which "its" is the image's; undefined, or left out: they are. */
  readonly whyUnnoticed?: (image: ImageIdentity) => string | undefined;
}

const askedAtOnce = 1000;

/** What each tag stands for, by reference key: as it was seen last, or else as a task of ours has pushed it. */
async function findNewest(deps: StandingDeps, lines: readonly StandingLine[]): Promise<ReadonlyMap<string, Newest>> {
  const wanted = new Map<string, ImageIdentity>();
  for (const { base } of lines) {
    const key = referenceKeyOf(base);
    if (key !== undefined) wanted.set(key, base);
  }
  const entries = [...wanted];
  const found = new Map<string, Newest>();
  for (let at = 0; at < entries.length; at += askedAtOnce) {
    const slice = entries.slice(at, at + askedAtOnce);
    const seen = await deps.baseImages.observed(slice.map(([, image]) => image));
    const graph = await deps.graph.read();
    for (const [index, [key, image]] of slice.entries()) {
      const newest = seen[index] ?? pushedLast(graph, image);
      if (newest) found.set(key, newest);
    }
  }
  return found;
}

/** The lines with what is newest of their bases, in order; it is looked up in portions, as far as they are asked for. */
async function* compareInOrder(
  deps: StandingDeps,
  lines: readonly StandingLine[],
  portion: number,
): AsyncGenerator<{ readonly line: StandingLine; readonly newest: Newest | undefined }> {
  for (let at = 0; at < lines.length; at += portion) {
    const slice = lines.slice(at, at + portion);
    const found = await findNewest(deps, slice);
    for (const line of slice) yield { line, newest: found.get(referenceKeyOf(line.base) ?? '') };
  }
}

/** Lists a page of what stands on what: see `PatchingDesk.list`. */
export async function listStanding(deps: StandingDeps, query: StandingQuery): Promise<StandingPage> {
  const { isStale = false, limit, after = '' } = query;
  const lines = listLines(await deps.graph.read(), query).filter(({ key }) => key > after);
  const images: StandingImage[] = [];
  let last = '';
  // Few are stale, as a rule: they are looked for in larger portions.
  for await (const { line, newest } of compareInOrder(deps, lines, isStale ? askedAtOnce : limit + 1)) {
    if (isStale && !isBehind(line, newest)) continue;
    if (images.length === limit) return { images, next: last };
    images.push(describeLine(line, newest, deps.whyUnnoticed?.(line.base)));
    last = line.key;
  }
  return { images };
}
