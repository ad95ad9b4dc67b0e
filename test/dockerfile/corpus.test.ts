import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { enginePlatform, readCase, type Place, type Resolved } from './corpus/case.ts';
import { differenceOf, markOf, type Recorded } from './corpus/compare.ts';
import { corpus } from './corpus/index.ts';

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'corpus/resolved.json'), 'utf8')) as Recorded;

/** A registry that nobody asks. */
function aPlace(): Place {
  const names = new Map<string, string>();
  const digestOf = (name: string): string => {
    const digest = `sha256:${createHash('sha256').update(name).digest('hex')}`;
    names.set(digest, name);
    return digest;
  };
  return { host: '127.0.0.1:5000', folder: 'corpus', digestOf, nameOf: (digest) => names.get(digest) };
}

const asked = corpus.filter(({ expected }) => expected === undefined);

describe('what a Dockerfile stands on is what BuildKit resolved', () => {
  it.each(asked.map((one) => [one.name, one] as const))('%s', (name, one) => {
    const truth = recorded.resolved[name] as Resolved & { of: string };
    expect(truth.of, 'the case has changed: have it resolved again (bench/dockerfile-corpus.ts)').toBe(markOf(one));
    expect(differenceOf(one, truth, readCase(one, aPlace()))).toBeUndefined();
  });

  it('in more than 200 files that it builds, and more that it refuses', () => {
    const all = Object.values(recorded.resolved);
    expect(Object.keys(recorded.resolved)).toEqual(asked.map(({ name }) => name));
    expect(all.filter(({ refused }) => refused === undefined).length).toBeGreaterThan(300);
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
  });
});

describe('forms that only newer front ends know', () => {
  const newer = corpus.filter(({ expected }) => expected !== undefined);
  it.each(newer.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const { images, refused } = readCase(one, aPlace());
    expect(refused).toBeUndefined();
    expect(images).toEqual(one.expected?.map((name) => `${name} ${enginePlatform}`));
  });
});

describe('a Dockerfile that something has happened to', () => {
  const at = fc.nat({ max: 400 });
  const piece = fc.constantFrom(
    '',
    '$',
    '${',
    '}',
    '\\',
    '`',
    '"',
    "'",
    '\n',
    '\r',
    '\0',
    '<<E',
    ' AS ',
    '--from=',
    '#',
    '\uFEFF',
    '0',
  );

  it('never makes the reader throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...corpus), fc.array(fc.tuple(at, at, piece), { maxLength: 4 }), (one, damages) => {
        const damage = (text: string, [from, length, by]: (typeof damages)[number]): string =>
          text.slice(0, from) + by + text.slice(from + (length % 7));
        expect(() => readCase({ ...one, text: damages.reduce(damage, one.text) }, aPlace())).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });
});
