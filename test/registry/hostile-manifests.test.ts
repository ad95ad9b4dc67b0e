import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDice, type Dice } from './hostile-cases.ts';
import { converse, wire } from './hostile-wire.ts';
import { basic, descriptor, imageType, indexType, sha, startRegistry, type RunningRegistry } from './rig.ts';

const cases = 6000;

let running: RunningRegistry;
let sound: Json[];
beforeAll(async () => {
  running = await startRegistry();
  const image = await running.pushImage('app', 'v1');
  const about = { annotations: { a: 'b' }, artifactType: 'application/x', subject: descriptor(imageType, image.bytes) };
  const platform = { os: 'linux', architecture: 'amd64', 'os.features': ['x'] };
  sound = [
    { ...(JSON.parse(image.bytes) as object), ...about } as Json,
    {
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [{ ...descriptor(imageType, image.bytes), platform }],
      ...about,
    } as Json,
  ];
});
afterAll(() => running.stop());

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const junk: readonly Json[] = [
  ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', 'x', [], {}, [[]], [null], ['x'], [{}]],
  ...[
    '../../etc/passwd',
    'sha256:',
    `sha256:${'a'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    '\u0000',
    '\ud800',
    '𝒳',
    'a'.repeat(5000),
  ],
  ...['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.v1+json', 'toString'],
  ...[{ digest: sha('{}'), size: 2 }, { digest: sha('{}'), size: 2, mediaType: 'x' }, { toString: 1 }, { length: 1e9 }],
];
const strangeKeys = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'subject',
  'config',
  'layers',
  'manifests',
  'blobs',
  'x',
];

/** The document with a few of its parts, anywhere in it, replaced, removed, doubled or added. */
function mutate(dice: Dice, value: Json): Json {
  if (dice.roll(12) === 0) return dice.pick(junk);
  if (Array.isArray(value)) {
    const items = value.map((item) => mutate(dice, item));
    return dice.roll(6) === 0 ? [...items, ...items, dice.pick(junk)] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => dice.roll(15) > 0)
    .map(([key, part]): [string, Json] => [dice.roll(30) === 0 ? dice.pick(strangeKeys) : key, mutate(dice, part)]);
  if (dice.roll(8) === 0) entries.push([dice.pick(strangeKeys), dice.pick(junk)]);
  return Object.fromEntries(entries);
}

/** The document as text, now and then broken as text. */
function write(dice: Dice, value: Json): string {
  const text = JSON.stringify(value);
  switch (dice.roll(12)) {
    case 0:
      return text.slice(0, dice.roll(text.length));
    case 1:
      return `\ufeff${text}`;
    case 2: // A name that stands twice: what is read of it must be what is kept.
      return text.replace('{', `{"mediaType":"${dice.pick([imageType, indexType, 'x'])}",`);
    case 3: {
      const at = dice.roll(text.length);
      return text.slice(0, at) + dice.text(4, true) + text.slice(at + 1);
    }
    default:
      return text;
  }
}

describe(`${String(cases)} manifests with something wrong in them`, () => {
  it('are taken or refused, each with a reason, and what is taken comes back as it was', async () => {
    const dice = createDice((fc.readConfigureGlobal().seed ?? 1) + 1);
    const headers = { Authorization: basic('admin', 'secret') };
    const bodies = Array.from({ length: cases }, () => Buffer.from(write(dice, mutate(dice, dice.pick(sound)))));
    const { port } = running.server.address() as AddressInfo;
    const outcomes = await converse(
      port,
      bodies.map((body) => {
        const type =
          dice.roll(10) === 0
            ? dice.pick(['', 'application/json', indexType])
            : body.includes('"manifests"')
              ? indexType
              : imageType;
        const target = `/v2/app/manifests/${dice.pick(['v2', sha(body), sha(body, 'sha512')])}`;
        return wire('PUT', target, { body, headers: { ...headers, 'Content-Type': type } });
      }),
    );
    const taken: Buffer[] = [];
    const faults = outcomes.flatMap((outcome, index) => {
      const body = bodies[index] ?? Buffer.alloc(0);
      if (outcome === 'closed') return [`closed: ${body.toString().slice(0, 300)}`];
      if (outcome.status === 201) taken.push(body);
      const isFine = outcome.status === 201 || /^\{"errors":\[\{"code":"[A-Z_]+","message":".+/.test(outcome.body);
      return isFine && [201, 400, 404].includes(outcome.status)
        ? []
        : [`${String(outcome.status)} ${outcome.body}: ${body.toString()}`];
    });
    expect(faults.slice(0, 5)).toEqual([]);
    expect(running.errors).toEqual([]);
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.length).toBeLessThan(cases / 2);
    const pulls = taken.flatMap((body) =>
      ['sha256', 'sha512'].map((algorithm) => ({ body, at: sha(body, algorithm) })),
    );
    const pulled = await converse(
      port,
      pulls.map(({ at }) => wire('GET', `/v2/app/manifests/${at}`, { headers })),
    );
    pulled.forEach((outcome, index) => {
      const isThere = outcome !== 'closed' && outcome.status === 200;
      if (isThere) expect(Buffer.from(outcome.body).equals(pulls[index]?.body ?? Buffer.alloc(0))).toBe(true);
    });
  }, 30_000);

  it('leave the lists of the repository readable', async () => {
    const { subject } = sound[1] as { subject: { digest: string } };
    const referrers = `referrers/${subject.digest}`;
    for (const path of ['tags/list', referrers, `${referrers}?artifactType=application/x`]) {
      const answer = await running.send('GET', `/v2/app/${path}`);
      expect(answer.status).toBe(200);
      await answer.json();
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
