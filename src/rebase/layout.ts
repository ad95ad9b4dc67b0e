import type { Destination } from './effects.ts';

/**
 * What one layer says of a path: a directory or link with its attributes as text (`d:755:0:0`, `l:usr/bin`), `f` for any other file, `x`
 * for one that is taken away.
 */
export type Mark = string;

/** What is in a layer, by paths like `/usr/bin`; what is equal in two of them does the same to what is put on top. */
export interface LayerIndex {
  readonly marks: ReadonlyMap<string, Mark>;
  /** Directories of which nothing below this layer shows. */
  readonly opaque: ReadonlySet<string>;
  /** The paths of all that is no plain file, in ascending order. */
  readonly shaping: readonly string[];
}

/** The layers of an image, the lowest first. */
export type Layout = readonly LayerIndex[];

function parentsOf(path: string): readonly string[] {
  const found: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) found.push(path.slice(0, at));
  return found;
}

/** What a path is in an image: a mark, undefined when there is nothing. */
function look(layout: Layout, path: string): Mark | undefined {
  const parents = parentsOf(path);
  for (const { marks, opaque } of [...layout].reverse()) {
    const mark = marks.get(path);
    if (mark !== undefined) return mark === 'x' ? undefined : mark;
    const hides = (parent: string): boolean => {
      const own = marks.get(parent);
      return opaque.has(parent) || (own !== undefined && !own.startsWith('d'));
    };
    if (opaque.has('') || parents.some(hides)) return undefined;
  }
  return undefined;
}

/** The place of the first text that is not below `text` in an ascending list. */
function lowerBound(list: readonly string[], text: string): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a path is, where plain files do not count: they are replaced whatever they are. */
function shapeOf(layout: Layout, path: string): Mark | undefined {
  const mark = look(layout, path);
  return mark === 'f' ? undefined : mark;
}

/** Every path below a directory that is, or was in some layer, no plain file. */
function collectBelow(layouts: readonly Layout[], path: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { shaping } of layouts.flat()) {
    for (let at = lowerBound(shaping, `${path}/`); shaping[at]?.startsWith(`${path}/`); at += 1) {
      found.add(shaping[at] ?? '');
    }
  }
  return found;
}

/** The first place on the way to a destination, itself included, that is a link or differs. */
function findOnWay({ path, kind }: Destination, before: Layout, after: Layout): string | undefined {
  for (const place of [...parentsOf(path).toReversed(), ...(path === '' ? [] : [path])]) {
    const marks = [look(before, place), look(after, place)];
    if (marks.some((mark) => mark?.startsWith('l'))) return `${place} is a link in a base`;
    const isReplaced = place === path && kind === 'copy';
    const [old, now] = isReplaced ? marks.map((mark) => (mark === 'f' ? undefined : mark)) : marks;
    if (old !== now) return `${place} is not the same in the new base`;
  }
  return undefined;
}

/** The first place below a destination that differs. */
function findBelow({ path, kind }: Destination, before: Layout, after: Layout): string | undefined {
  if (kind === 'directory') return undefined;
  for (const place of collectBelow([before, after], path)) {
    if (shapeOf(before, place) !== shapeOf(after, place)) return `${place} is not the same in the new base`;
  }
  return undefined;
}

/**
 * Compares two bases where instructions write: the directories that lead there and lie below must be the same, and no link may lead
 * elsewhere. Returns what differs, for people; undefined when nothing does.
 */
export function compareLayouts(
  destinations: readonly Destination[],
  before: Layout,
  after: Layout,
): string | undefined {
  for (const one of destinations) {
    const difference = findOnWay(one, before, after) ?? findBelow(one, before, after);
    if (difference === undefined) continue;
    return `line ${one.line} of the Dockerfile writes to ${one.path === '' ? '/' : one.path}, and ${difference}`;
  }
  return undefined;
}
