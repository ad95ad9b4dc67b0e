import type { Destination } from './effects.ts';

/**
 * What one layer says of a path: a directory or link with its attributes as text (`d:755:0:0`, `l:usr/bin`; `d:` for a directory that is
 * new and has no entry), `f` for any other file, `x` for one that is taken away, {@link impliedMark}.
 */
export type Mark = string;

/** A directory without an entry of its own, which has something in it: its attributes are those that it has below, if there is one. */
export const impliedMark: Mark = 'i';

/** What is in a layer, by paths like `/usr/bin`; what is equal in two of them does the same to what is put on top. */
export interface LayerIndex {
  readonly marks: ReadonlyMap<string, Mark>;
  /** Directories of which nothing below this layer shows. */
  readonly opaque: ReadonlySet<string>;
  /** Directories that the layer puts something into, or takes something from. */
  readonly filled: ReadonlySet<string>;
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

/** True when nothing that lower layers have at a path shows through this one. */
function hides({ marks, opaque }: LayerIndex, parents: readonly string[]): boolean {
  const isOther = (mark: Mark | undefined): boolean =>
    mark !== undefined && mark !== impliedMark && !mark.startsWith('d');
  return opaque.has('') || parents.some((parent) => opaque.has(parent) || isOther(marks.get(parent)));
}

/** What a path is in an image: a mark, undefined when there is nothing. */
function look(layout: Layout, path: string): Mark | undefined {
  const parents = parentsOf(path);
  let implied: Mark | undefined;
  for (const layer of [...layout].reverse()) {
    const mark = layer.marks.get(path);
    if (mark === impliedMark) implied = 'd:';
    else if (mark === 'x') return implied;
    else if (mark !== undefined) return mark === 'f' ? (implied ?? mark) : mark;
    if (hides(layer, parents)) return implied;
  }
  return implied;
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
    const [old, now] = isReplaced ? [shapeOf(before, place), shapeOf(after, place)] : marks;
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

function explain({ line, path }: Destination, difference: string): string {
  return `line ${line} of the Dockerfile writes to ${path === '' ? '/' : path}, and ${difference}`;
}

/**
 * Compares two bases where instructions write: the directories that lead there and lie below must be the same, and no link may lead
 * elsewhere. Plain files do not count, which are replaced by files: where {@link needsOwn} says so, see {@link compareOwn}. Returns what
 * differs, for people; undefined when nothing does.
 */
export function compareLayouts(
  destinations: readonly Destination[],
  before: Layout,
  after: Layout,
): string | undefined {
  for (const one of destinations) {
    const difference = findOnWay(one, before, after) ?? findBelow(one, before, after);
    if (difference !== undefined) return explain(one, difference);
  }
  return undefined;
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** True when what was copied may be written through by another instruction: a link among it leads elsewhere. */
function isCrossed({ path }: Destination, others: readonly Destination[]): boolean {
  return others.some((other) => isWithin(other.path, path) && (other.kind === 'copy' || other.path !== path));
}

/**
 * True when it hangs on the image's own layers whether a rebuild would come to the same: a copy meets a plain file in one base only, goes where
 * a base has something already, or where another instruction writes too.
 */
export function needsOwn(destinations: readonly Destination[], before: Layout, after: Layout): boolean {
  return destinations.some((one, at) => {
    if (one.kind === 'directory') return false;
    const { path } = one;
    if (look(before, path) !== look(after, path)) return true;
    return (
      [...before, ...after].some(({ filled }) => filled.has(path)) || isCrossed(one, destinations.toSpliced(at, 1))
    );
  });
}

/** The bases of an image, and the layers that it has on top of the old one. */
export interface Layouts {
  readonly before: Layout;
  readonly after: Layout;
  readonly own: Layout;
}

/** Why an entry of the image itself may be another one on the new base, or elsewhere; undefined: it is the same, in the same place. */
function findDoubt(
  [path, mark]: readonly [string, Mark],
  destinations: readonly Destination[],
  { before, after }: Layouts,
): string | undefined {
  const meet = mark === 'f' ? shapeOf : look;
  if (meet(before, path) !== meet(after, path)) {
    const what = mark.startsWith('l') ? 'link' : mark === 'f' ? 'file' : 'directory';
    return `the image has a ${what} ${path}, and what is there is not the same in the new base`;
  }
  if (mark.startsWith('l') && destinations.some((one) => isWithin(one.path, path))) {
    return `the Dockerfile may write through ${path}, a link of the image itself`;
  }
  if (destinations.some((one) => isWithin(path, one.path) || isWithin(one.path, path))) return undefined;
  return `the image has ${path}, where the Dockerfile does not write`;
}

/**
 * Compares what the image's own layers have with the bases: each of its directories and links must meet the same in both, each of its files
 * a file or nothing, and all of it must be where instructions write. Returns what is wrong, for people; undefined when nothing is.
 */
export function compareOwn(destinations: readonly Destination[], layouts: Layouts): string | undefined {
  for (const { marks } of layouts.own) {
    for (const entry of marks) {
      const doubt = findDoubt(entry, destinations, layouts);
      if (doubt !== undefined) return doubt;
    }
  }
  return undefined;
}
