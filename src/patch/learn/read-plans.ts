import type { ImageDependencies, ImageIdentity } from '../../domain/dependencies.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import type { BuildStep, CmdStep, Plan } from '../../domain/step.ts';
import { identify, readBuild, type ReadBuild, type ReadBuildOptions } from './read-build.ts';
import type { PlansAhead } from './plan-ahead.ts';

/** What the plans of a task say of its images. */
export interface ReadPlans {
  readonly images: readonly ImageDependencies[];
  readonly stepImages: readonly ImageIdentity[];
  readonly problems: readonly string[];
}

function isSame(a: ImageIdentity | undefined, b: ImageIdentity | undefined): boolean {
  const [left, right] = [a, b].map((image) => image && `${formatImageIdentity(image)}@${image.digest ?? ''}`);
  return left === right;
}

/** A name that is the same in every run; where only its tag is another one each time, the name without it. */
function lastingName(a: ImageIdentity, b: ImageIdentity | undefined): readonly ImageIdentity[] {
  if (b === undefined || isSame(a, b)) return [a];
  const { registry, repository } = a;
  return registry === b.registry && repository === b.repository ? [{ registry, repository }] : [];
}

function nameProblem(image: ImageIdentity): string {
  return `the base image ${image.registry}/${image.repository} is another one in each run, so that nothing can be watched`;
}

/** What holds of a build in both plans. */
function joinBuilds(a: ReadBuild, b: ReadBuild | undefined): ReadBuild {
  if (b === undefined) return a;
  const { runtime, buildTime, commit } = a.bases;
  const hasRuntime = isSame(runtime, b.bases.runtime);
  const lasting = buildTime.filter((image) => b.bases.buildTime.some((other) => isSame(image, other)));
  const varying = [
    ...buildTime.filter((image) => !lasting.includes(image)),
    ...(hasRuntime || !runtime ? [] : [runtime]),
  ];
  return {
    names: a.names.flatMap((name, at) => lastingName(name, b.names[at])),
    bases: {
      ...(hasRuntime && runtime && { runtime }),
      buildTime: lasting,
      ...(commit !== undefined && { commit }),
    },
    problems: [...a.problems, ...varying.map(nameProblem)],
  };
}

function entriesOf({ names, bases }: ReadBuild): readonly ImageDependencies[] {
  const unique = new Map(names.map((image) => [formatImageIdentity(image), image]));
  return unique.size === 0 ? [bases] : [...unique.values()].map((image) => ({ image, ...bases }));
}

/** Of images that are built more than once, the last one is what stays. */
function lastOfEach(entries: readonly ImageDependencies[]): readonly ImageDependencies[] {
  const found = new Map<string, ImageDependencies>();
  for (const entry of entries) found.set(entry.image ? formatImageIdentity(entry.image) : JSON.stringify(entry), entry);
  return [...found.values()];
}

/** Images of cmd steps, but those that the engine room names, and those that are other ones in each run. */
function readStepImages([first, second]: PlansAhead['plans']): readonly ImageIdentity[] {
  const found = new Map<string, ImageIdentity>();
  const imageOf = (step: CmdStep): ImageIdentity | undefined =>
    step.agentImage === undefined ? identify(step.image) : undefined;
  const others = second.steps.filter((step) => step.kind === 'cmd').map(imageOf);
  for (const [at, step] of first.steps.filter((one) => one.kind === 'cmd').entries()) {
    const image = imageOf(step);
    if (image === undefined || !isSame(image, others[at])) continue;
    found.set(formatImageIdentity(image), image.digest === undefined ? image : { ...image, isPinned: true });
  }
  return [...found.values()];
}

function buildsOf({ steps }: Plan): readonly BuildStep[] {
  return steps.filter((step) => step.kind === 'build');
}

/** Reads what the builds of a task make, and on what. Never rejects. */
export async function readPlans(
  { plans, problem }: PlansAhead,
  options: ReadBuildOptions & { readonly includesSteps: boolean },
): Promise<ReadPlans> {
  const [first, second] = [buildsOf(plans[0]), buildsOf(plans[1])];
  const builds: ReadBuild[] = [];
  for (const [at, step] of first.entries()) {
    const other = second[at];
    // One after the other: each may read its context anew.
    builds.push(joinBuilds(await readBuild(step, options), other && (await readBuild(other, options))));
  }
  return {
    images: lastOfEach(builds.flatMap(entriesOf)),
    stepImages: options.includesSteps ? readStepImages(plans) : [],
    problems: [
      ...new Set([...(problem === undefined ? [] : [problem]), ...builds.flatMap(({ problems }) => problems)]),
    ],
  };
}
