import { cleanLine } from './clean-line.ts';
import { compareNames } from './natural-order.ts';
import type { ImageView, StandingView } from './patching-types.ts';
import type { Colors } from './screen.ts';
import { formatAge, formatTable } from './words.ts';

/** The first twelve digits of a digest, as engines show ids; `-` for none. */
export function shortDigest(digest: string | undefined): string {
  return digest === undefined ? '-' : (digest.split(':')[1] ?? digest).slice(0, 12);
}

/** A name for people: one that is known by its digest alone is shortened. */
export function formatName({ reference, digest, tag }: ImageView): string {
  const isBare = tag === undefined && digest !== undefined;
  return isBare ? reference.replace(digest, `${digest.split(':')[0] ?? ''}:${shortDigest(digest)}`) : reference;
}

const types: Readonly<Record<StandingView['type'], string>> = {
  Runtime: 'runtime',
  BuildTime: 'build time',
  Step: 'step',
};

function describeCurrency({ isCurrent, unchangedFor }: StandingView): string {
  if (unchangedFor !== undefined) return `current: unchanged for ${unchangedFor.join(' and ')}`;
  return isCurrent === undefined ? 'unknown' : isCurrent ? 'current' : 'behind';
}

function describeState(view: StandingView, now: number): string {
  const { behindSince, notRebuiltBecause } = view;
  const words = describeCurrency(view);
  const since = behindSince === undefined ? '' : `, newest seen ${formatAge(Date.parse(behindSince), now)}`;
  const because = notRebuiltBecause === undefined ? '' : `; not rebuilt by itself: ${notRebuiltBecause}`;
  return `${words}${since}${because}`;
}

const typeOrder = Object.keys(types);

function compareLines(a: StandingView, b: StandingView): number {
  return (
    compareNames(a.task, b.task) ||
    compareNames(a.image?.reference ?? '', b.image?.reference ?? '') ||
    typeOrder.indexOf(a.type) - typeOrder.indexOf(b.type) ||
    compareNames(a.base.reference, b.base.reference)
  );
}

/** Which image stands on which, as a table, by task and image; `now` in milliseconds. */
export function formatStanding(all: readonly StandingView[], colors: Colors, now: number): readonly string[] {
  const list = [...all].sort(compareLines);
  const rows = list.map((one) => [
    one.task,
    one.image === undefined ? '-' : formatName(one.image),
    one.builtTime === undefined ? '-' : formatAge(Date.parse(one.builtTime), now),
    formatName(one.base),
    types[one.type],
    shortDigest(one.base.digest),
    shortDigest(one.newestDigest),
    describeState(one, now),
  ]);
  const heads = ['TASK', 'IMAGE', 'BUILT', 'BASE', 'TYPE', 'BUILT ON', 'NEWEST', 'STATE'];
  const [head = '', ...lines] = formatTable([heads, ...rows].map((row) => row.map((cell) => cleanLine(cell, false))));
  const painted = lines.map((line, at) => (list[at]?.isCurrent === false ? colors.yellow(line) : line));
  return [colors.bold(head), ...painted];
}
