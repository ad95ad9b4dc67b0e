import { objectField } from '../json-lines.ts';
import { isObject } from './fields.ts';
import type { ContainerWorld, NetworkEnd } from './world.ts';
import type { EngineLine } from './forward.ts';
import type { RunImages } from './images.ts';
import { findContainer, findThing, type OwnThing, type RunObjects } from './objects.ts';
import { reachesHost, refuse } from './refusal.ts';
import type { RunScope } from '../scope.ts';

/** What the calls of a run's steps are answered with. */
export interface Means extends EngineLine {
  readonly scope: RunScope;
  readonly objects: RunObjects;
  readonly images: RunImages;
  /** The labels of what is made. */
  readonly labels: Readonly<Record<string, string>>;
  /** The run's own mounts by their paths in steps. */
  readonly shared: ReadonlyMap<string, object>;
  readonly socketPath: string;
  /** A name for a thing that has none; each a new one. */
  readonly createId: () => string;
}

/** The network that steps are on by default: the one that the task says, where it was made. */
function findDefault({ scope }: Means, networks: readonly OwnThing[]): NetworkEnd {
  const name = scope.plan.networks.find(({ isDefault }) => isDefault)?.name;
  const made = networks.find((one) => one.name === name);
  return made === undefined ? { mode: 'bridge', hasNames: false } : { mode: made.engineName, hasNames: true };
}

function findNetwork(means: Means, networks: readonly OwnThing[], name: string): NetworkEnd {
  if (name === 'none' || name === 'bridge') return { mode: name, hasNames: false };
  if (name === 'default') return findDefault(means, networks);
  if (name === 'host') throw refuse('the network of the host', reachesHost);
  return { mode: findThing('network', networks, name).engineName, hasNames: true };
}

/** The first Engine API that mounts a part of a volume. */
const firstApiWithSubpath = 45;

async function hasSubpath({ scope }: Means): Promise<boolean> {
  const version = objectField(await scope.engine.json({ method: 'GET', path: '/version' }), 'ApiVersion');
  const found = typeof version === 'string' ? /^1\.(\d+)$/.exec(version) : null;
  return Number(found?.[1] ?? 0) >= firstApiWithSubpath;
}

/** True when a body mounts something by a path, so that it matters what the engine can mount. */
function hasMounts(body: unknown): boolean {
  const host = objectField(body, 'HostConfig');
  return isObject(host) && (Array.isArray(host['Binds']) || Array.isArray(host['Mounts']));
}

/** What a container may refer to at this moment. `body` is what asks. */
export async function lookAround(means: Means, body?: unknown): Promise<ContainerWorld> {
  const { scope, objects, names, labels, shared, socketPath } = means;
  const [containers, networks, canMountParts] = await Promise.all([
    objects.containers(),
    objects.networks(),
    hasMounts(body) ? hasSubpath(means) : false,
  ]);
  return {
    labels,
    limits: scope.limits.made,
    shared,
    socketPath,
    hasSubpath: canMountParts,
    volume: (name) => ({ name: names.toEngine(name), labels }),
    container: (name) => findContainer(containers, name).id,
    network: (name) => findNetwork(means, networks, name),
  };
}
