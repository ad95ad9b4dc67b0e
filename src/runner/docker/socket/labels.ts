import { labels, labelsOf, type RunScope } from '../scope.ts';
import { textMap, type Fields } from './fields.ts';
import { refuse } from './refusal.ts';

/** Labels whose names are ours: they say to whom a thing belongs. */
const ownPrefix = 'slipway.';

/** What a step wrote as labels, with the run's own over it; an image's label of that name cannot show through either. */
export function joinLabels(given: unknown, own: Readonly<Record<string, string>>): Fields {
  const written = (textMap(given, 'Labels') ?? {}) as Fields;
  const taken = Object.keys(written).find((name) => name.toLowerCase().startsWith(ownPrefix));
  if (taken !== undefined)
    throw refuse(`the label "${taken.slice(0, 100)}"`, 'labels of that name say which run a thing belongs to');
  return { ...written, ...own };
}

/** The labels of what steps make by the socket. The step is left empty: an image's own label must not name one. */
export function madeLabels(scope: RunScope): Readonly<Record<string, string>> {
  const { nanoCpus } = scope.limits.made;
  const cap = nanoCpus === undefined ? {} : { [labels.cpus]: String(nanoCpus) };
  return { ...labelsOf(scope), ...cap, [labels.step]: '', [labels.origin]: 'socket' };
}
