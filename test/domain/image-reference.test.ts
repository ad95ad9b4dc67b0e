import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureError } from '../../src/domain/failure.ts';
import {
  formatImageIdentity,
  formatImageReference,
  identifyImage,
  parseImageReference,
} from '../../src/domain/image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('an image reference', () => {
  it.each([
    ['app', { repository: 'app' }],
    ['app:v1', { repository: 'app', tag: 'v1' }],
    ['team/app:v1', { repository: 'team/app', tag: 'v1' }],
    ['localhost/app', { registry: 'localhost', repository: 'app' }],
    ['localhost:5000/app:v1', { registry: 'localhost:5000', repository: 'app', tag: 'v1' }],
    ['reg:5000/a/b', { registry: 'reg:5000', repository: 'a/b' }],
    ['reg.example.com/app', { registry: 'reg.example.com', repository: 'app' }],
    ['[::1]:5000/app', { registry: '[::1]:5000', repository: 'app' }],
    [`app@${digest}`, { repository: 'app', digest }],
    [`app:v1@${digest}`, { repository: 'app', tag: 'v1', digest }],
    ['a.b_c--d/e__f:T-1.x', { repository: 'a.b_c--d/e__f', tag: 'T-1.x' }],
  ])('%s is understood', (text, expected) => {
    expect(parseImageReference(text)).toEqual(expected);
  });

  it.each([
    ['', 'cannot have'],
    ['App', 'lower case'],
    ['app:', 'tag'],
    ['app:v 1', 'tag'],
    [`app:${'x'.repeat(129)}`, 'tag'],
    ['-app', 'cannot have'],
    ['app/', 'cannot have'],
    ['a//b', 'cannot have'],
    ['a/../b', 'cannot have'],
    ['app@sha256:abc', 'no digest'],
    ['https://reg.example.com/app', 'tag'],
    ['app;rm -rf', 'cannot have'],
    ['x'.repeat(600), 'longer'],
  ])('%j is refused with the reason', (text, why) => {
    expect(() => parseImageReference(text, 'imageNames[2]')).toThrow(why);
    try {
      parseImageReference(text, 'imageNames[2]');
    } catch (error) {
      expect((error as FailureError).failure.field).toBe('imageNames[2]');
    }
  });

  it('is written back as it was read, or refused as a bad request, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.stringMatching(/^[a-z0-9.:/@_-]{0,40}$/)), (text) => {
        try {
          expect(formatImageReference(parseImageReference(text))).toBe(text);
        } catch (error) {
          expect((error as FailureError).failure.reason).toBe('invalid-request');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the identity of an image', () => {
  it.each([
    ['node', 'docker.io/library/node:latest'],
    ['library/node:20', 'docker.io/library/node:20'],
    ['docker.io/node:20', 'docker.io/library/node:20'],
    ['docker.io/library/node:20', 'docker.io/library/node:20'],
    ['index.docker.io/node:20', 'docker.io/library/node:20'],
    ['registry-1.docker.io/library/node:20', 'docker.io/library/node:20'],
    ['registry.hub.docker.com/library/node:20', 'docker.io/library/node:20'],
    ['team/app', 'docker.io/team/app:latest'],
    ['localhost:5000/node', 'localhost:5000/node:latest'],
    ['Reg.Example.com/a', 'reg.example.com/a:latest'],
    [`node@${digest}`, `docker.io/library/node@${digest}`],
  ])('%s is %s', (text, expected) => {
    expect(formatImageIdentity(identifyImage(parseImageReference(text)))).toBe(expected);
  });

  it('keeps tag and digest where both are given', () => {
    const image = identifyImage(parseImageReference(`a.io/b:c@${digest}`));
    expect(image).toEqual({ registry: 'a.io', repository: 'b', tag: 'c', digest });
    expect(formatImageIdentity(image)).toBe('a.io/b:c');
    expect(formatImageIdentity({ registry: 'a.io', repository: 'b' })).toBe('a.io/b');
  });
});
