import { createHash } from 'node:crypto';
import { fail } from '../../domain/failure.ts';
import type { CmdStep, Network } from '../../domain/step.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { isConflict, removeQuietly } from './images.ts';
import { objectField, textField } from './json-lines.ts';
import { findMeeting, implicitNetwork } from './meeting.ts';
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

const noNetwork: Place = { mode: 'none', hasNames: false };
/** The engine's own bridge: about 35 ms a container less than one that is made for the run, but no names. */
const plainBridge: Place = { mode: 'bridge', hasNames: false };

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
    // Its name is of this run alone: an earlier attempt made it.
    if (scope.setup.begunTries && isConflict(error)) return { mode, hasNames: true };
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
  const meeting = findMeeting(scope.plan);
  const declared = new Map(scope.plan.networks.map((network) => [network.name, network]));
  const begun = new Map<string, Promise<Place>>();
  const find = (network: Network, { id }: CmdStep): Promise<Place> => {
    if (network.skipCreation) return findExisting(scope, network);
    if (network.name === implicitNetwork && !meeting.has(id)) return Promise.resolve(plainBridge);
    const place = begun.get(network.name) ?? create(scope, network);
    begun.set(network.name, place);
    return place;
  };
  for (const step of scope.plan.steps) {
    const network = step.kind === 'cmd' ? declared.get(step.network ?? '') : undefined;
    if (step.kind === 'cmd' && network && !network.skipCreation) find(network, step).catch(() => undefined); // whoever needs it is told
  }
  return {
    place: async (step) => {
      const { network: name } = step;
      const network = name === undefined ? undefined : declared.get(name);
      if (network) return find(network, step);
      const plain = name === undefined ? plainBridge : plainPlace(scope, name);
      if (plain) return plain;
      throw fail('invalid-request', `the task declares no network "${name ?? ''}"`);
    },
    remove: async () => {
      const places = await Promise.allSettled(begun.values());
      begun.clear();
      for (const place of places) {
        if (place.status === 'fulfilled') await removeQuietly(scope.engine, `/networks/${place.value.mode}`);
      }
    },
  };
}
