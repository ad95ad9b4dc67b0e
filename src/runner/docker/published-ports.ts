import { fail } from '../../domain/failure.ts';

/** A port of a container and where it is published; host port `''`: the engine takes a free one. */
interface Binding {
  readonly HostIp: string;
  readonly HostPort: string;
}

/** The ports of a container as the Engine API has them, by `80/tcp`. */
export interface PublishedPorts {
  readonly exposed: Readonly<Record<string, object>>;
  readonly bindings: Readonly<Record<string, readonly Binding[]>>;
}

/** Ports are reached from this machine alone unless the flag names an address. */
const standardAddress = '127.0.0.1';

function bad(text: string): never {
  throw fail('invalid-request', `"${text}" is no port: write CONTAINER, HOST:CONTAINER or ADDRESS:HOST:CONTAINER`);
}

/** `8000-8002` as its numbers. */
function readRange(range: string, text: string): readonly number[] {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  const first = Number(found?.[1]);
  const last = Number(found?.[2] ?? first);
  if (!found || first < 1 || last > 65_535 || last < first || last - first > 1000) return bad(text);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function splitPort(text: string): { readonly ports: string; readonly protocol: string } {
  const [ports = '', protocol = 'tcp', more] = text.toLowerCase().split('/');
  if (more !== undefined || !['tcp', 'udp', 'sctp'].includes(protocol)) return bad(text);
  return { ports, protocol };
}

/** Takes `-p` apart; an IPv6 address stands in brackets. */
function splitPublish(text: string): { readonly address: string; readonly host: string; readonly container: string } {
  const found = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([\d-]*):)?([^:]+)$/.exec(text);
  if (!found) return bad(text);
  const [, address = '', host = '', container = ''] = found;
  return { address: address.replace(/^\[|\]$/g, '') || standardAddress, host, container };
}

function hostPort(hosts: readonly number[], count: number, index: number): string {
  if (hosts.length === 0) return '';
  if (hosts.length === count) return String(hosts[index]);
  return `${hosts[0] ?? ''}-${hosts.at(-1) ?? ''}`;
}

function publish(text: string): readonly (readonly [string, Binding])[] {
  const { address, host, container } = splitPublish(text);
  const { ports, protocol } = splitPort(container);
  const inside = readRange(ports, text);
  const outside = host === '' ? [] : readRange(host, text);
  if (outside.length > 0 && outside.length !== inside.length && inside.length !== 1) return bad(text);
  return inside.map((port, index) => [
    `${port}/${protocol}`,
    { HostIp: address, HostPort: hostPort(outside, inside.length, index) },
  ]);
}

function expose(text: string): readonly string[] {
  const { ports, protocol } = splitPort(text);
  return readRange(ports, text).map((port) => `${port}/${protocol}`);
}

/**
 * What `-p` and `--expose` flags ask for. With `all`, every exposed port is published too, the image's own (`80/tcp`) among them.
 * @throws `invalid-request`
 */
export function publishPorts(
  ports: readonly string[],
  exposed: readonly string[],
  all: readonly string[] | undefined,
): PublishedPorts {
  const published = ports.flatMap(publish);
  const names = [...exposed.flatMap(expose), ...(all ?? [])];
  const bindings: Record<string, Binding[]> = {};
  for (const [port, binding] of published) (bindings[port] ??= []).push(binding);
  if (all) for (const name of names) bindings[name] ??= [{ HostIp: standardAddress, HostPort: '' }];
  return { exposed: Object.fromEntries([...names, ...Object.keys(bindings)].map((name) => [name, {}])), bindings };
}
