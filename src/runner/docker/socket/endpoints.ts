import {
  emptyBecause,
  isEmpty,
  passedOver,
  plainObject,
  readFields,
  text,
  texts,
  type Fields,
  type Rule,
  type Rules,
} from './fields.ts';
import { reachesHost } from './refusal.ts';
import type { ContainerWorld } from './world.ts';

/** `NAME[:ALIAS]` of containers that a container knows by that alias. */
export function links(world: ContainerWorld): Rule {
  return (value, field) =>
    (texts(value, field) as readonly string[] | null | undefined)?.map((one) => {
      const [name = '', alias = name] = one.split(':');
      return `${world.container(name)}:${alias.replace(/^\//, '')}`;
    });
}

const addressRules = { IPv4Address: text, IPv6Address: text, LinkLocalIPs: texts };

/** What the engine says about an end of a network, and clients send along empty or from an earlier answer. */
const told = Object.fromEntries(
  ['NetworkID', 'EndpointID', 'Gateway', 'IPAddress', 'IPPrefixLen', 'IPv6Gateway', 'GlobalIPv6Address']
    .concat(['GlobalIPv6PrefixLen', 'DNSNames', 'GwPriority'])
    .map((name) => [name, passedOver]),
);

/** One end of a network, on which the container has the given names besides its own. */
export function readEndpoint(world: ContainerWorld, given: unknown, names: readonly string[]): Fields {
  const rules: Rules = {
    ...told,
    Aliases: texts,
    IPAMConfig: (value, field) => (isEmpty(value) ? undefined : readFields(value, addressRules, field)),
    Links: links(world),
    MacAddress: text,
    DriverOpts: emptyBecause(reachesHost),
  };
  const read = readFields(given, rules, 'EndpointsConfig');
  return { ...read, Aliases: [...((read['Aliases'] ?? []) as readonly string[]), ...names] };
}

type Ends = Record<string, Fields>;

/** Where a container is on the network, by the engine's names: what the body names, and the network of its mode with the container's name on it. */
export function readNetworking(world: ContainerWorld, given: unknown, mode: unknown, name: string | undefined): Ends {
  const known = readFields(given, { EndpointsConfig: plainObject }, 'NetworkingConfig')['EndpointsConfig'];
  const ends: Ends = {};
  const names = name === undefined ? [] : [name];
  for (const [network, endpoint] of Object.entries((known ?? {}) as Fields)) {
    const end = world.network(network);
    if (!end.hasNames) readEndpoint(world, endpoint, []);
    else ends[end.mode] = readEndpoint(world, endpoint, names);
  }
  const isNamed = typeof mode === 'string' && ends[mode] === undefined && !/^(?:bridge|none|container:.*)$/.test(mode);
  return isNamed ? { ...ends, [mode]: { Aliases: names } } : ends;
}
