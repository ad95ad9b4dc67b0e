import { formatImageReference, parseImageReference } from '../../../domain/image-reference.ts';
import type { Plan } from '../../../domain/step.ts';

/**
 * A reference in the one form that all ways of writing it have: `app` is `docker.io/library/app:latest`. Undefined for what is no
 * reference.
 */
export function fullReference(written: string): string | undefined {
  try {
    const { registry = 'docker.io', repository, tag, digest } = parseImageReference(written);
    const host = registry === 'index.docker.io' ? 'docker.io' : registry;
    const name = host === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository;
    const image = { registry: host, repository: name as typeof repository };
    const end = digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`;
    return `${formatImageReference(image)}${end}`;
  } catch {
    return undefined;
  }
}

/** The registry host of a reference; Docker Hub's where none is written. */
export function registryOf(written: string): string {
  return fullReference(written)?.split('/')[0] ?? 'docker.io';
}

/**
 * Which images of an engine count as a run's own. Images are shared by all runs of an installation: any of them may be run, built upon and
 * looked at by name, since whoever may run a step could name it as the step's image as well. Listed, tagged, saved and pushed are only those
 * that a step of the run names (as what it builds, pushes or runs) or made by the socket; removed only those that the run made or pulled.
 */
export interface RunImages {
  /** Notes a name, or an id (`sha256:…`), that the run made or pulled by the socket. */
  made(nameOrId: string): void;
  /** True for a name or full id that the run may hand on. */
  isShown(nameOrId: string): boolean;
  /** True for a name or full id that the run may take away. */
  isMade(nameOrId: string): boolean;
}

function keyOf(nameOrId: string): string | undefined {
  return /^sha256:[0-9a-f]{64}$/.test(nameOrId) ? nameOrId : fullReference(nameOrId);
}

function namesIn(plan: Plan, images: Readonly<Record<string, string>>): { built: string[]; used: string[] } {
  const built = plan.steps.flatMap((step) => (step.kind === 'build' ? step.tags : []));
  const used = plan.steps.flatMap((step) => {
    if (step.kind === 'push') return step.images;
    return step.kind === 'cmd' ? [step.image, images[step.agentImage ?? ''] ?? step.image] : [];
  });
  return { built, used };
}

/** Keeps what is known of a run's images. `aliases` are real images for bare names. */
export function createRunImages(plan: Plan, aliases: Readonly<Record<string, string>>): RunImages {
  const { built, used } = namesIn(plan, aliases);
  const keys = (names: readonly string[]): Set<string> => new Set(names.map(keyOf).filter((key) => key !== undefined));
  const makes = keys(built);
  const uses = keys(used);
  const isMade = (nameOrId: string): boolean => makes.has(keyOf(nameOrId) ?? '');
  return {
    made: (nameOrId) => {
      const key = keyOf(nameOrId);
      if (key !== undefined) makes.add(key);
    },
    isMade,
    isShown: (nameOrId) => isMade(nameOrId) || uses.has(keyOf(nameOrId) ?? ''),
  };
}
