import { identifyImage, isTag, parseImageReference, type Tag } from '../../domain/image-reference.ts';
import type { ImageIdentity } from '../../domain/dependencies.ts';
import { formatImageIdentity } from '../../domain/image-reference.ts';
import { refuse } from '../../rebase/refusal.ts';
import type { StepBuild } from './build-job.ts';
import { findAncestors } from './meeting.ts';

/** A name that an image is pushed by to our registry. */
export interface PushedName {
  readonly repository: string;
  readonly tag: Tag;
}

function namesOf(references: readonly string[]): ReadonlyMap<string, ImageIdentity> {
  const images = references.map((text) => identifyImage(parseImageReference(text)));
  return new Map(images.map((image) => [formatImageIdentity(image), image]));
}

/** The names of the step's image that push steps push. */
function findPushed({ scope, step, registryHost }: StepBuild): readonly PushedName[] {
  const pushed = namesOf(scope.plan.steps.flatMap((other) => (other.kind === 'push' ? other.images : [])));
  const own = [...namesOf(step.tags)].flatMap(([name, image]) => (pushed.has(name) ? [image] : []));
  if (own.length === 0) refuse('no step pushes it');
  return own.map(({ registry, repository, tag }) => {
    if (registry !== registryHost.toLowerCase())
      return refuse(`it is pushed to ${registry}, which is not our registry`);
    return tag !== undefined && isTag(tag) ? { repository, tag } : refuse('it is pushed without a tag');
  });
}

/** The workspace is the run's context as long as no cmd step can have changed it. */
function checkWorkspace({ scope, step }: StepBuild): void {
  if (step.context.kind !== 'local') return;
  const ancestors = findAncestors(scope.plan);
  const other = scope.plan.steps.find(({ id, kind }) => kind === 'cmd' && !ancestors.get(id)?.has(step.id));
  if (other !== undefined) refuse(`step ${other.id} can change the files that it is built from`);
}

/**
 * Sees to it that a build step is of the kind that can be done in the registry, as far as the plan tells. Returns the names that its image
 * is pushed by. @throws Refusal
 */
export function checkPlan(build: StepBuild): readonly PushedName[] {
  const { step } = build;
  if (step.noCache) refuse('the step asks for a build without cache');
  if (step.options.some(({ name }) => name === 'squash')) refuse('the step asks for squashed layers');
  checkWorkspace(build);
  return findPushed(build);
}

/** True when a step comes after this one that may need the image on the engine: only pushes do not. */
export function isNeededOnEngine({ scope, step }: StepBuild): boolean {
  const ancestors = findAncestors(scope.plan);
  return scope.plan.steps.some(({ id, kind }) => kind !== 'push' && ancestors.get(id)?.has(step.id));
}
