import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../../src/domain/failure.ts';
import type { GitEvent } from '../../../src/trigger/git/event.ts';
import { judge } from '../../../src/trigger/git/judge.ts';
import { isSameRepository, normaliseRepository } from '../../../src/domain/git-repository.ts';
import { findSkipMark } from '../../../src/trigger/git/skip-marks.ts';
import { isSafeText } from '../../../src/trigger/git/text.ts';
import { parseDelivery, payloadNames, providers, readPayload, type Json, type Recorded } from './rig.ts';

const rules = { repositoryUrl: 'https://github.com/acme/shop', events: ['commit', 'tag', 'pullrequest'] as const };

/** Events, or undefined when the delivery was refused as it should be. */
function tryParse(recorded: Recorded): readonly GitEvent[] | undefined {
  try {
    return parseDelivery(recorded).events;
  } catch (error) {
    expect(error).toBeInstanceOf(FailureError);
    expect((error as FailureError).failure.reason).toBe('invalid-request');
    return undefined;
  }
}

/** Every text of an event, however deep. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

/** Every place of a JSON value. */
function placesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...path, name]))];
}

function put(body: Json, path: readonly string[], value: unknown): Json {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const copy: Json = Array.isArray(body) ? [...body] : { ...body };
  copy[name] = put(copy[name], rest, value);
  return copy;
}

describe('any JSON', () => {
  it('is read or refused as an invalid request, whatever the headers say', () => {
    const headers = payloadNames.map((name) => readPayload(name).headers);
    fc.assert(
      fc.property(fc.constantFrom(...headers), fc.jsonValue(), (header, body) => {
        tryParse({ headers: header, body });
      }),
      { numRuns: 300 },
    );
  });

  it('in any one place of a real payload is read or refused, and never gets into a ref or commit', () => {
    const recorded = payloadNames.map((name) => {
      const { headers, body } = readPayload(name);
      return { headers, body, places: placesOf(body) };
    });
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.constantFrom('refs/heads/$(id)', '-', '../..', '\u202e', '{{.Run.ID}}', 'a'.repeat(100_000), 1e308, -1),
    );
    fc.assert(
      fc.property(fc.constantFrom(...recorded), fc.nat(), odd, ({ headers, body, places }, at, value) => {
        const place = places[at % places.length] ?? [];
        const events = tryParse({ headers, body: put(body, place, value) }) ?? [];
        for (const event of events) {
          if (event.kind !== 'ping') expect(event.ref).toMatch(/^refs\/[\p{L}\p{N}_][\p{L}\p{N}._/@+=,#-]*$/u);
          if ('commit' in event) expect(event.commit).toMatch(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
          const { changed: _, ...rest } = event as { changed?: unknown };
          const harmful = /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e]/;
          expect(textsOf(rest).filter((text) => text.length > 16_384 || harmful.test(text))).toEqual([]);
          expect(typeof judge({ ...rules, paths: { include: ['a/**'] } }, event).runs).toBe('boolean');
        }
      }),
      { numRuns: 600 },
    );
  });

  it('of any depth or size is refused quickly', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`) as unknown;
    const { headers, body } = readPayload('github-push');
    expect(tryParse({ headers, body: deep })).toBeUndefined();
    const commit = { id: body.after, added: Array.from({ length: 2500 }, (_, at) => `dir/${String(at)}`) };
    const [event] = tryParse({ headers, body: { ...body, commits: Array(400).fill(commit) } }) ?? [];
    expect(event).toMatchObject({ kind: 'push' });
    expect(tryParse({ headers, body: { ...body, commits: Array(10_001).fill(commit) } })).toBeUndefined();
  });
});

describe('any headers', () => {
  it('never verify without the secret and never throw', () => {
    const name = fc.constantFrom(
      'x-hub-signature-256',
      'x-hub-signature',
      'x-gitea-signature',
      'x-gitlab-token',
      'webhook-signature',
      'webhook-timestamp',
      'authorization',
      'x-slipway-signature',
      'x-slipway-timestamp',
    );
    const value = fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 2 }), fc.constant('Basic Og=='));
    const secrets = ['s3cret', `whsec_${Buffer.alloc(32, 1).toString('base64')}`];
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.uint8Array(), (headers, body) => {
        for (const provider of providers.all) {
          expect(provider.verify(headers, Buffer.from(body), secrets)).not.toBe('ok');
          expect(provider.verify(headers, Buffer.from(body), [])).not.toBe('ok');
        }
        providers.recognise(headers);
      }),
      { numRuns: 300 },
    );
  });
});

describe('any address', () => {
  it('is the same repository as itself where it is one at all', () => {
    const path = fc.array(fc.stringMatching(/^[A-Za-z0-9_.~ -]{1,8}$/), { minLength: 1, maxLength: 4 });
    const url = fc.tuple(fc.constantFrom('https://', 'ssh://git@', 'git@h:', ''), fc.domain(), path);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          url.map(([scheme, host, names]) => `${scheme}${host}/${names.join('/')}`),
        ),
        (text) => {
          const address = normaliseRepository(text);
          expect(isSameRepository(text, text)).toBe(address !== undefined);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('bounded time', () => {
  it('holds for patterns and texts that were made to be slow', () => {
    const branch = 'a'.repeat(240);
    const pattern = `${'**/a*'.repeat(60)}b`;
    const event = { ...parseDelivery(readPayload('github-push')).events[0], branch } as GitEvent;
    expect(judge({ ...rules, branches: { include: Array(100).fill(pattern) } }, event).runs).toBe(false);
    expect(findSkipMark(`${'slipway-skip:'.repeat(1200)}${' '.repeat(10_000)}x`)).toBeUndefined();
    for (const text of ['a@'.repeat(1000), '/'.repeat(2000), 'a.'.repeat(1000), '%'.repeat(2000)]) {
      expect(() => normaliseRepository(text)).not.toThrow();
    }
  });
});

describe('a text that templates may have', () => {
  it.each(['Pay by card', 'feature/größer', 'v1.2.0', 'ada'])('%j is one', (text) => {
    expect(isSafeText(text)).toBe(true);
  });

  it.each(['', '$(id)', 'a"b', "a'b", 'a\nb', '{{x}}', '-x', 'a;b', 'a:b', 'x'.repeat(257)])('%j is none', (text) => {
    expect(isSafeText(text)).toBe(false);
  });
});
