/** An IPv4 network: the address as a number, and the length of its prefix. */
export interface Subnet {
  readonly address: number;
  readonly prefix: number;
}

/** Parses `a.b.c.d/n`. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, prefix = 0] = match.slice(1).map(Number);
  if (prefix > 32 || [a, b, c, d].some((byte) => byte > 255)) return undefined;
  return { address: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, prefix };
}

function mask(prefix: number): number {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
}

/** Whether two networks share an address. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  const common = mask(Math.min(a.prefix, b.prefix));
  return (a.address & common) >>> 0 === (b.address & common) >>> 0;
}

/** Reads the networks that the host has routes to out of `/proc/net/route` (little-endian hexadecimal numbers); the default route is none. */
export function parseRoutes(text: string): readonly Subnet[] {
  const swap = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE(0);
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => /^[0-9A-F]{8}$/i.test(fields[1] ?? '') && /^[0-9A-F]{8}$/i.test(fields[7] ?? ''))
    .map((fields) => ({
      address: swap(fields[1] ?? ''),
      prefix: swap(fields[7] ?? '')
        .toString(2)
        .replaceAll('0', '').length,
    }))
    .filter((subnet) => subnet.prefix > 0);
}

/** Two private /16 networks (RFC 1918) for an engine: one for its bridge, one to cut the networks of runs from. */
export interface EngineSubnets {
  /** The bridge's own address, `172.18.0.1/16`. */
  readonly bridge: string;
  /** The pool, `172.19.0.0/16`. */
  readonly pool: string;
}

/** Chooses networks for a private engine that overlap with none that the host already reaches. */
export function chooseSubnets(used: readonly Subnet[]): EngineSubnets | undefined {
  const bytes = (first: number, from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => `${first}.${from + index}`);
  const free = [...bytes(172, 17, 31), ...bytes(10, 200, 250)].filter((start) => {
    const subnet = parseSubnet(`${start}.0.0/16`);
    return subnet !== undefined && !used.some((one) => overlaps(one, subnet));
  });
  const [bridge, pool] = free;
  return bridge === undefined || pool === undefined
    ? undefined
    : { bridge: `${bridge}.0.1/16`, pool: `${pool}.0.0/16` };
}
