import type { ImageIdentity } from '../../domain/dependencies.ts';
import type { Argument } from '../../domain/run-request.ts';
import type { BaseImageTrigger } from '../../domain/task.ts';
import { parseTagPattern } from '../graph/followed-tags.ts';
import type { ReadPlans } from './read-plans.ts';

/** How the problem of a pattern begins that changes nothing: a good run does not speak against it. */
export const unusedMark = 'no FROM takes its tag from ';

/** A tag that a pattern matches, and that hardly any task names itself. */
function probeOf(pattern: string): string {
  return pattern.slice(pattern.lastIndexOf(':') + 1).replace(/\*+/g, '0');
}

/** An argument for each pattern that is followed, with a tag that is looked for in what the task would stand on then. */
export function probesOf({ follow = [] }: BaseImageTrigger): readonly Argument[] {
  return follow.map(({ pattern, argument: name }) => ({ name, value: probeOf(pattern), isSecret: false }));
}

function allBases({ images, stepImages }: ReadPlans): readonly ImageIdentity[] {
  return [...images.flatMap(({ runtime, buildTime }) => [...(runtime ? [runtime] : []), ...buildTime]), ...stepImages];
}

/** The patterns whose tags the task would never be on, by what it stands on with the probes; none where that is not known at all. */
export function findUnused({ follow = [] }: BaseImageTrigger, probed: ReadPlans): readonly string[] {
  const bases = allBases(probed);
  if (bases.length === 0) return [];
  const unused = follow.filter(({ pattern }) => {
    const { registry, repository } = parseTagPattern(pattern) ?? {};
    const tag = probeOf(pattern);
    return !bases.some((base) => base.registry === registry && base.repository === repository && base.tag === tag);
  });
  return unused.map(({ pattern, argument }) => `${unusedMark}${argument}: newer tags like ${pattern} change nothing`);
}
