import { sha } from './rig.ts';
import { wire, type WireRequest } from './hostile-wire.ts';

/** Draws the same cases from the same seed (mulberry32). */
export interface Dice {
  /** A whole number from 0 to one less than `below`. */
  roll(below: number): number;
  pick<T>(list: readonly T[]): T;
  /** Printable ASCII without blanks; with `wide`, everything that may stand in a header. */
  text(maxLength: number, wide?: boolean): string;
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const roll = (below: number): number => Math.floor(next() * below);
  return {
    roll,
    pick: (list) => list[roll(list.length)] as (typeof list)[number],
    text: (maxLength, wide = false) =>
      Array.from({ length: roll(maxLength + 1) }, () => {
        const code = 0x20 + roll(wide ? 0xe0 : 0x5f);
        return code === 0x7f || (code === 0x20 && !wide) ? '~' : String.fromCharCode(code);
      }).join(''),
  };
}

const known = sha('{}');
const digests = [
  ...[known, sha('none'), sha('none', 'sha512'), known.replace(':', '%3A'), known.toUpperCase(), `${known}0`],
  ...['sha256:', 'sha256', ':', 'sha256:..', 'sha256:../../../../etc/passwd', `sha256:${'g'.repeat(64)}`],
  ...[`sha256:${'0'.repeat(63)}/`, `md5:${'a'.repeat(32)}`, `sha256+b64:${'a'.repeat(43)}`, 'sha256:%2e%2e%2f'],
];
const names = [
  ...['none', 'manifests', 'blobs/uploads', 'tags/list', '_catalog', '_trust'],
  ...['..', '.', '...', '%2e%2e', '%2e%2e%2f%2e%2e', '..%2f..%2fetc', '%2Fetc%2Fpasswd', '..\\..', 'a/../../b', '/a'],
  ...['.staging', 'app/.staging', 'app%00', '%00', '%ff%fe', '%', '%zz', 'APP', 'app ', 'é', 'C:', 'con'],
  ...['__proto__', 'constructor', 'a'.repeat(255), 'a'.repeat(256), 'a/'.repeat(120), 'xn--a', 'app;rm', "app'--"],
  ...['app%0d%0aX-Injected:%201', '$(id)', '`id`', '${jndi:ldap://x}', '{{7*7}}', '<script>'],
];
const tags = [
  'v1',
  'latest',
  '',
  '.',
  '..',
  '-x',
  '%2e%2e',
  'v1%00',
  'v1/../v2',
  'a'.repeat(129),
  'v1:v2',
  '@',
  '*',
  '%0d%0aX-Injected:%201',
];
const ids = ['x', '..', '%2e%2e%2fx', '.staging', '', 'a'.repeat(300), '00000000-0000-0000-0000-000000000000', '%00'];
const methods = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'M-SEARCH'];
const values = [
  ...['', '0', '1', '-1', '1e9', '9'.repeat(40), '%', '%ff', '%00', '..', 'null', '[]', '[object Object]', 'app', 'v1'],
  ...['%0d%0aX-Injected:%201', '+', '%2B', '%u0041', "' OR 1=1", 'sha512', 'application/x', '*', '../../x'],
];
const fields = [
  'n',
  'last',
  'digest',
  'mount',
  'from',
  'tag',
  'artifactType',
  'digest-algorithm',
  'scope',
  'service',
  '__proto__',
];
const ranges = [
  ...[
    'bytes=0-',
    'bytes=0-0',
    'bytes=-1',
    'bytes=-0',
    'bytes=--1',
    'bytes=5-1',
    'bytes=0-0,1-1',
    'bytes=',
    'bytes',
    '',
  ],
  ...[
    `bytes=${'9'.repeat(30)}-`,
    `bytes=-${'9'.repeat(30)}`,
    'bytes=0x0-0x1',
    'bytes=0-1;',
    'octets=0-1',
    'bytes=1e1-2e1',
  ],
  ...['bytes=9007199254740993-', `bytes=${'0-1,'.repeat(500)}`, 'bytes = 0 - 1', 'bytes=NaN-NaN'],
];
const contentRanges = [
  '0-0',
  '1-0',
  '5-9',
  'bytes 0-4/*',
  'bytes 0-4/5',
  'bytes */5',
  '-1-1',
  '0-',
  'x',
  '0-99999999999999999999',
  '',
  '0-4, 0-4',
];
const types = [
  'application/vnd.oci.image.manifest.v1+json',
  'text/html',
  '',
  'a/b;c=d',
  'x'.repeat(2000),
  'application/vnd.oci.image.index.v1+json; charset=utf-7',
  '*/*',
];
const bodies = [
  '',
  '{}',
  '[]',
  'null',
  '"x"',
  '{',
  '{"schemaVersion":2}',
  '{"schemaVersion":2,"manifests":[]}',
  '\u0000',
  '{"__proto__":{}}',
  'x'.repeat(3000),
];

/** Method and target; `body`: what is going to be sent. */
function drawTarget(dice: Dice, body: string): [string, string] {
  const usual = dice.pick(['app', 'team/app', 'app/more']);
  const name = dice.roll(2) === 0 ? usual : dice.roll(4) === 0 ? dice.text(40) : dice.pick(names);
  const query = (): string =>
    `${dice.pick(fields)}=${dice.roll(5) === 0 ? dice.text(30) : dice.pick([...values, ...digests])}`;
  const asked = Array.from({ length: Math.max(0, dice.roll(6) - 2) }, query).join('&');
  const [path, fitting] = dice.pick<readonly [string, readonly string[]]>([
    [`/v2/${name}/manifests/${dice.pick([...tags, ...digests])}`, ['GET', 'HEAD', 'PUT', 'PUT', 'DELETE']],
    [`/v2/${name}/blobs/${dice.pick(digests)}`, ['GET', 'HEAD', 'DELETE']],
    [`/v2/${name}/blobs/uploads/${dice.pick(ids)}`, ['GET', 'PATCH', 'PUT', 'DELETE']],
    [`/v2/${name}/blobs/uploads/`, ['POST']],
    [`/v2/${usual}/blobs/uploads/`, ['POST']],
    [`/v2/${usual}/blobs/uploads/?digest=${sha(body)}`, ['POST']],
    [`/v2/${usual}/blobs/${known}`, ['GET', 'GET', 'HEAD']],
    [`/v2/${usual}/manifests/v1`, ['GET', 'GET', 'HEAD', 'PUT']],
    [`/v2/${name}/tags/list`, ['GET', 'HEAD']],
    [`/v2/${name}/referrers/${dice.pick(digests)}`, ['GET', 'HEAD']],
    [`/v2/${name}`, ['GET']],
    [`/v2/_catalog`, ['GET']],
    [`/v2/${Array.from({ length: dice.roll(9) }, () => dice.pick([...names, ...tags])).join('/')}`, methods],
    [`/oauth2/${dice.pick(['token', 'exchange', '', 'token/', '..'])}`, ['GET', 'POST']],
    [
      `/acr/v1/${name}/${dice.pick(['_tags', '_manifests', `_tags/${dice.pick(tags)}`, `_manifests/${dice.pick(digests)}`, ''])}`,
      ['GET', 'PATCH', 'DELETE'],
    ],
    [`/v2/${dice.text(60)}`, methods],
  ]);
  // A blank would end the target: what follows it would be the version.
  const target = asked === '' || path.includes('?') ? path : `${path}?${asked}`;
  return [dice.roll(4) === 0 ? dice.pick(methods) : dice.pick(fitting), target.replaceAll(' ', '%20')];
}

function headersOf(dice: Dice, authorization: string): Record<string, string> {
  const often = (chance: number): boolean => dice.roll(chance) === 0;
  const bearer = [
    'Bearer ',
    'Bearer x',
    'Bearer e30.e30.',
    `Bearer ${'a'.repeat(4000)}`,
    'Basic',
    'Basic ====',
    'Digest x',
    'Basic Og==',
  ];
  return {
    ...(often(4) ? {} : { Authorization: often(6) ? dice.pick([...bearer, dice.text(60)]) : authorization }),
    ...(often(4) && { Range: often(4) ? `bytes=${dice.text(20)}` : dice.pick(ranges) }),
    ...(often(4) && { 'Content-Range': often(4) ? dice.text(20) : dice.pick(contentRanges) }),
    ...(often(3) && { 'Content-Type': often(4) ? dice.text(40) : dice.pick(types) }),
    ...(often(6) && { 'If-None-Match': dice.pick(['*', '""', 'W/', dice.text(80), `"${known}"`]) }),
    ...(often(6) && { 'If-Match': dice.pick(['*', '""', dice.text(80), `"${known}"`]) }),
    ...(often(8) && { Accept: dice.text(200), 'Accept-Encoding': 'gzip, identity;q=0' }),
    ...(often(8) && { Host: dice.pick(['', 'a b', '../..', 'x'.repeat(500), 'evil.test"', dice.text(30, true)]) }),
    ...(often(10) && { Cookie: dice.text(300, true), 'X-Forwarded-For': dice.text(50), Origin: 'null' }),
    ...(often(20) && { 'Content-Encoding': 'gzip', 'X-HTTP-Method-Override': 'DELETE' }),
  };
}

/** A request that is hostile in what it says, though it is framed as HTTP; `dice` says in what. */
export function drawRequest(dice: Dice, authorization: string): WireRequest {
  const headers = headersOf(dice, authorization);
  const body = dice.roll(3) === 0 ? dice.pick(bodies) : '';
  return wire(...drawTarget(dice, body), { headers, body });
}
