import { createHash } from 'node:crypto';
import { fail } from '../../domain/failure.ts';
import type { CmdStep, Network, Plan, StepId } from '../../domain/step.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { removeQuietly } from './images.ts';
import { objectField, textField } from './json-lines.ts';
import { labels, labelsOf, nameOf, type RunScope } from './scope.ts';

/** Where a container's end of a network is. */
export interface Place {
  /** The engine's name for the network. */
  readonly mode: string;
  /** True where containers find each other by name. */
  readonly hasNames: boolean;
}

/** The networks of one run. */
export interface RunNetworks {
  /** Where a step's container goes; the network is made by then. @throws `unsupported`, `invalid-request` */
  place(step: CmdStep): Promise<Place>;
  /** Removes what was made; nothing must hang on it any more. May be called twice. */
  remove(): Promise<void>;
}

/** The network that every step is on when its task declares none (acr-tasks.md §1.5). */
const implicitNetwork = 'acb_default_network';

const noNetwork: Place = { mode: 'none', hasNames: false };
/** The engine's own bridge: about 35 ms a container less than one that is made for the run, but no names. */
const plainBridge: Place = { mode: 'bridge', hasNames: false };

/** All steps that a step waits for, through others too. */
function findAncestors(plan: Plan): ReadonlyMap<StepId, ReadonlySet<StepId>> {
  const ancestors = new Map<StepId, Set<StepId>>();
  for (const { id, needs } of plan.steps) {
    ancestors.set(id, new Set(needs.flatMap((need) => [need, ...(ancestors.get(need) ?? [])])));
  }
  return ancestors;
}

const naming = new Set(['name', 'network-alias', 'net-alias', 'ip', 'ip6']);

/**
 * True when containers on the implicit network can meet there: one is detached or wants to be reached, or two can run at the same time.
 */
export function mustMeet(plan: Plan): boolean {
  const steps = plan.steps.filter((step) => step.kind === 'cmd' && step.network === implicitNetwork) as CmdStep[];
  if (steps.length < 2) return false;
  const isReachable = (step: CmdStep): boolean =>
    step.detach || step.expose.length > 0 || step.options.some(({ name }) => naming.has(name));
  if (steps.some(isReachable)) return true;
  const ancestors = findAncestors(plan);
  const isBefore = (one: CmdStep, other: CmdStep): boolean => ancestors.get(other.id)?.has(one.id) ?? false;
  return steps.some((step, index) => steps.slice(index + 1).some((other) => !isBefore(step, other)));
}

/** A private range (RFC 4193) of its own for each network: engines do not find one by themselves. */
function privateRange(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex');
  return `fd${hash.slice(0, 2)}:${hash.slice(2, 6)}:${hash.slice(6, 10)}:${hash.slice(10, 14)}::/64`;
}

async function create(scope: RunScope, network: Network): Promise<Place> {
  const { driver = 'bridge', ipv6, name } = network;
  if (driver !== 'bridge' && !scope.settings.allowPrivileged) {
    throw fail('unsupported', `network "${name}": the driver ${driver} would reach into the machine; use bridge`);
  }
  const mode = nameOf(scope, name);
  const range = ipv6 ? { EnableIPv6: true, IPAM: { Config: [{ Subnet: privateRange(mode) }] } } : {};
  const body = { Name: mode, Driver: driver, CheckDuplicate: true, Labels: labelsOf(scope), ...range };
  try {
    await scope.engine.json({ method: 'POST', path: '/networks/create', body });
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    throw fail('unsupported', `network "${name}" could not be made: ${error.message}`, { cause: error });
  }
  return { mode, hasNames: true };
}

/** A network that was there before the run: another run's is not to be had. */
async function findExisting(scope: RunScope, { name }: Network): Promise<Place> {
  const plain = plainPlace(scope, name);
  if (plain) return plain;
  try {
    const path = `/networks/${encodeURIComponent(name)}`;
    const found = await scope.engine.json({ method: 'GET', path });
    const owner = textField(objectField(found, 'Labels'), labels.run);
    if (owner !== undefined) throw fail('unsupported', `network "${name}" belongs to another run`);
    return { mode: name, hasNames: textField(found, 'Name') !== 'bridge' };
  } catch (error) {
    if (isMissing(error)) throw fail('unsupported', `there is no network "${name}" on the container engine`);
    throw error;
  }
}

/** What the names that every engine knows mean; undefined for others. */
function plainPlace({ settings }: RunScope, name: string): Place | undefined {
  if (name === 'none') return noNetwork;
  if (name === 'bridge' || name === 'default') return plainBridge;
  if (name !== 'host' && !name.startsWith('container:')) return undefined;
  if (settings.allowPrivileged) return { mode: name, hasNames: false };
  const why = 'it would reach into the machine, or into what belongs to others';
  throw fail('unsupported', `the network "${name}" cannot be used here: ${why}`);
}

/** Prepares a run's networks; those that steps surely need are begun at once. */
export function createRunNetworks(scope: RunScope): RunNetworks {
  const isImplicitNeeded = mustMeet(scope.plan);
  const declared = new Map(scope.plan.networks.map((network) => [network.name, network]));
  const begun = new Map<string, Promise<Place>>();
  const begin = (network: Network): Promise<Place> => {
    if (network.skipCreation) return findExisting(scope, network);
    if (network.name === implicitNetwork && !isImplicitNeeded) return Promise.resolve(plainBridge);
    const place = begun.get(network.name) ?? create(scope, network);
    begun.set(network.name, place);
    return place;
  };
  for (const step of scope.plan.steps) {
    const network = step.kind === 'cmd' ? declared.get(step.network ?? '') : undefined;
    if (network && !network.skipCreation) begin(network).catch(() => undefined); // whoever needs it is told
  }
  return {
    place: async ({ network: name }) => {
      const network = name === undefined ? undefined : declared.get(name);
      if (network) return begin(network);
      const plain = name === undefined ? plainBridge : plainPlace(scope, name);
      if (plain) return plain;
      throw fail('invalid-request', `the task declares no network "${name ?? ''}"`);
    },
    remove: async () => {
      const places = await Promise.allSettled(begun.values());
      begun.clear();
      for (const place of places) {
        if (place.status !== 'fulfilled' || place.value === plainBridge) continue;
        await removeQuietly(scope.engine, `/networks/${place.value.mode}`);
      }
    },
  };
}
