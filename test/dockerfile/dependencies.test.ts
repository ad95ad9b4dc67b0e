import { describe, expect, it } from 'vitest';
import type { ImageIdentity } from '../../src/domain/dependencies.ts';
import { formatImageIdentity } from '../../src/domain/image-reference.ts';
import { readDependencies, type ReadOptions } from '../../src/dockerfile/dependencies.ts';

const digest = `sha256:${'b'.repeat(64)}`;

/** The names of what a file stands on, Docker Hub's shortened again. */
function read(text: string, options: Partial<ReadOptions> = {}) {
  const { runtime, buildTime, unresolved } = readDependencies(text, { arguments: {}, ...options });
  const name = (image: ImageIdentity): string =>
    `${formatImageIdentity(image)}${image.tag !== undefined && image.digest !== undefined ? `@${image.digest}` : ''}`
      .replace(/^docker\.io\/(?:library\/)?/, '')
      .replace(/:latest$/, '');
  return {
    runtime: runtime && name(runtime.image),
    buildTime: buildTime.map(({ image }) => name(image)),
    unresolved: unresolved.map(({ why }) => why),
  };
}

const runtimeOf = (text: string, options: Partial<ReadOptions> = {}): string | undefined => read(text, options).runtime;

describe('the stages of a Dockerfile', () => {
  it('give the image that the last one begins with as the runtime, and those of the others as build-time', () => {
    const text = 'FROM golang:1 AS build\nRUN make\nFROM node:20\nCOPY --from=build /a /a\n';
    expect(read(text)).toEqual({ runtime: 'node:20', buildTime: ['golang:1'], unresolved: [] });
  });

  it.each([
    ['through other stages', 'FROM node AS base\nFROM base AS mid\nFROM mid', 'node', []],
    ['whatever the case they are named in', 'from node as Base\nFROM base', 'node', []],
    ['and copied from', 'FROM a AS Base\nFROM b\nCOPY --from=BASE / /', 'b', ['a']],
    ['scratch is no image', 'FROM golang AS b\nFROM scratch\nCOPY --from=b / /', undefined, ['golang']],
    ['a stage that nothing reaches is left out', 'FROM a AS x\nFROM b AS y\nFROM c', 'c', []],
    ['a stage counts by its number', 'FROM a\nFROM b\nCOPY --from=0 / /', 'b', ['a']],
    ['FROM knows no numbers', 'FROM a\nFROM 0', '0', []],
    ['a mount knows no numbers', 'FROM a\nFROM b\nRUN --mount=from=0 true', 'b', ['0']],
    ['a stage may bear the name of its own image', 'FROM node AS node\nFROM node', 'node', []],
    ['the last stage of a name above counts', 'FROM a AS x\nFROM b AS x\nFROM x\nFROM c AS x', 'c', []],
    ['the same, reached', 'FROM a AS x\nFROM b AS x\nFROM x AS y\nFROM c AS x\nFROM y', 'b', []],
    [
      'the same image is named once',
      'FROM a AS x\nFROM a\nCOPY --from=x / /\nCOPY --from=docker.io/library/a / /',
      'a',
      [],
    ],
    ['an image of COPY', 'FROM a\nCOPY --chown=1:1 --from=nginx:1.25 /x /x', 'a', ['nginx:1.25']],
    ['an image of ADD', 'FROM a\nadd --from=b / /', 'a', ['b']],
    ['a COPY from scratch', 'FROM a\nCOPY --from=scratch / /', 'a', []],
    ['a stage that copies from itself', 'FROM a AS x\nCOPY --from=x / /', 'a', []],
    ['a stage below', 'FROM a AS x\nCOPY --from=y / /\nFROM b AS y', 'b', []],
    ['an image of a mount', 'FROM a\nRUN --mount=type=bind,from=tools/x:1,target=/x x', 'a', ['tools/x:1']],
    ['two mounts', 'FROM a\nRUN --mount=from=b --network=none --mount="type=bind,from=c" x', 'a', ['b', 'c']],
    ['a mount with quoted fields', `FROM a\nRUN --mount='type=bind,"from=b","source=/a,b"' x`, 'a', ['b']],
    ['a mount without from', 'FROM a\nRUN --mount=type=cache,target=/x --mount=type=tmpfs,target=/y x', 'a', []],
    ['a flag behind the command is none', 'FROM a\nRUN x --mount=from=b\nCOPY . --from=c', 'a', []],
    ['words in between are no flags', 'FROM a\nRUN -- --mount=from=b x', 'a', []],
  ])('%s', (_, text, runtime, buildTime) => {
    expect(read(text)).toEqual({ runtime, buildTime, unresolved: [] });
  });

  it('are followed from the target alone, whatever the case of its name', () => {
    const text = 'FROM a AS one\nCOPY --from=d / /\nFROM b AS two\nFROM c';
    expect(read(text, { target: 'ONE' })).toEqual({ runtime: 'a', buildTime: ['d'], unresolved: [] });
    expect(read(text, { target: 'two' })).toEqual({ runtime: 'b', buildTime: [], unresolved: [] });
  });

  it('hand their ONBUILD lines to the stages that begin with them, and run none themselves', () => {
    const text = 'FROM a AS x\nONBUILD COPY --from=b / /\nONBUILD RUN --mount=from=c x\nFROM x AS y\nFROM y';
    expect(read(text).buildTime).toEqual(['b', 'c']);
    expect(read(text, { target: 'x' }).buildTime).toEqual([]);
  });

  it('run the triggers that their image has', () => {
    const triggersOf = ({ repository }: ImageIdentity) => (repository === 'library/a' ? ['COPY --from=b /x /x'] : []);
    expect(read('FROM a', { triggersOf }).buildTime).toEqual(['b']);
    expect(read('FROM c', { triggersOf }).buildTime).toEqual([]);
  });
});

describe('the name in a FROM', () => {
  it.each([
    ['FROM node', 'node'],
    ['FROM docker.io/library/node:20', 'node:20'],
    ['FROM index.docker.io/node:20', 'node:20'],
    ['FROM registry.hub.docker.com/library/node', 'node'],
    ['FROM localhost:5000/a/b:c', 'localhost:5000/a/b:c'],
    ['FROM Reg.Example.COM/a', 'reg.example.com/a'],
    [`FROM node@${digest}`, `node@${digest}`],
    [`FROM node:20@${digest}`, `node:20@${digest}`],
    ['FROM "node"', 'node'],
    ['\uFEFFFROM node\r\nRUN x\r\n', 'node'],
    ['  FROM\tnode   AS\tx  ', 'node'],
    ['FROM \\\n  # a comment\n\n  node \\\n  AS x', 'node'],
    ['FR\\\nOM node', 'node'],
    ['# escape=`\nFROM `\nnode', 'node'],
    ['FROM no\\\nde', 'node'],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual({ runtime: expected, buildTime: [], unresolved: [] });
  });

  it('keeps its platform, and is named once for each', () => {
    const text = 'FROM --platform=$BUILDPLATFORM a AS x\nFROM --platform=linux/arm64 a\nCOPY --from=x / /';
    const found = readDependencies(text, { arguments: {}, platform: 'linux/s390x', buildPlatform: 'linux/amd64' });
    expect(found.runtime).toMatchObject({ text: 'a', platform: 'linux/arm64', use: 'from', line: 2 });
    expect(found.buildTime).toMatchObject([{ platform: 'linux/amd64', line: 1 }]);
  });
});

describe('the platform of a FROM', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/ARM64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/aarch64', 'linux/arm64'],
    ['arm64', 'linux/arm64'],
    ['armhf', 'linux/arm/v7'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux', 'linux/s390x'],
    ['windows/amd64', 'windows/amd64'],
    ['linux/constructor', 'linux/constructor'],
  ])('%s is %s', (text, expected) => {
    const found = readDependencies(`FROM --platform=${text} a`, { arguments: {}, buildPlatform: 'linux/s390x' });
    expect(found.unresolved).toEqual([]);
    expect(found.runtime?.platform).toBe(expected);
  });

  it('is told to the file in the one way to write it', () => {
    expect(runtimeOf('FROM a:$TARGETARCH', { platform: 'linux/x86_64' })).toBe('a:amd64');
    expect(runtimeOf('FROM a:$TARGETARCH', { platform: 'what' })).toBe(undefined);
  });
});

describe('arguments in a FROM', () => {
  it.each([
    ['a default', 'ARG V=20\nFROM node:$V', 'node:20'],
    ['in braces', 'ARG V=20\nFROM node:${V}-slim', 'node:20-slim'],
    ['several in one line', 'ARG A=node B="20"\nFROM $A:$B', 'node:20'],
    ['a default made of others', 'ARG A=node\nARG B=$A:20\nFROM $B', 'node:20'],
    ['the last declaration counts', 'ARG A=x\nARG A=y\nARG A\nFROM $A', 'y'],
    ['a stage’s own ARG is none', 'FROM a AS x\nARG A=y\nFROM b:${A:-1}', 'b:1'],
    ['ENV is none', 'ENV A=y\nFROM b:${A:-1}', 'b:1'],
    ['the platform', 'FROM a:$TARGETARCH-$BUILDOS-$TARGETVARIANT', 'a:arm-linux-v7'],
    ['the stage', 'FROM a:$TARGETSTAGE', 'a:default'],
  ])('%s', (_, text, expected) => {
    expect(runtimeOf(text, { platform: 'linux/arm/v7' })).toBe(expected);
  });

  it('are overridden by those that are given, once the file declares them', () => {
    const given = { arguments: { V: '22', TARGETARCH: 'x' } };
    expect(runtimeOf('ARG V=20\nFROM node:$V', given)).toBe('node:22');
    expect(runtimeOf('ARG V\nFROM node:$V', given)).toBe('node:22');
    expect(runtimeOf('FROM node:${V:-1}', given)).toBe('node:1');
    expect(runtimeOf('FROM node:$TARGETARCH', given)).toBe('node:x');
    expect(runtimeOf('ARG A\nFROM a:${A:-1}', { arguments: Object.create({ A: 'inherited' }) as never })).toBe('a:1');
  });

  it.each([
    ['FROM node:$V', 'no image name'],
    ['FROM $V', 'comes to nothing'],
    ['ARG V=${A:?}\nFROM $V', 'must have a value'],
    ['FROM a b c', 'FROM takes'],
    ['FROM a AS', 'FROM takes'],
    ['FROM', 'FROM takes'],
    ['FROM a # comment', 'FROM takes'],
    ['FROM a AS b # comment', 'FROM takes'],
    ['FROM UPPER', 'lower case'],
    ['FROM a AS x\nFROM X', 'lower case'],
    ['FROM --platform=linux/a/b/c a', 'is no platform'],
    ['FROM --platform=what a', 'is no platform'],
    [`FROM ${'a'.repeat(3000)}`, 'too long'],
    ['FROM --platform=$P a', 'comes to nothing'],
    ['FROM a\nCOPY --from=$X / /', 'stage of its own'],
    ['FROM a\nRUN --mount=from=$X x', 'stage of its own'],
    ['FROM a\nCOPY --from=7 / /', 'no stage 7'],
    ['FROM a\nCOPY --from=Q:: / /', 'no image name'],
    ['RUN x', 'no FROM'],
    ['', 'no FROM'],
    ['# syntax=A B\nFROM a', 'lower case'],
    ['FROM a\nRUN cat <<X', 'no end'],
  ])('%j is said to make no sense', (text, why) => {
    expect(read(text).unresolved).toEqual([expect.stringContaining(why) as string]);
  });

  it('that are missing spoil only what uses them', () => {
    const text = 'FROM $NONE AS never\nFROM a';
    expect(read(text)).toEqual({ runtime: 'a', buildTime: [], unresolved: [] });
    expect(readDependencies(text, { arguments: {}, target: 'never' }).unresolved).toMatchObject([
      { text: '$NONE AS never', line: 1 },
    ]);
    expect(read(text, { target: 'nope' }).unresolved).toEqual(['there is no such stage']);
  });
});

describe('the syntax directive', () => {
  it.each([
    ['# syntax=docker/dockerfile:1\nFROM a', ['docker/dockerfile:1']],
    ['#SYNTAX = docker/dockerfile:1 more words\r\nFROM a', ['docker/dockerfile:1']],
    ['#!/usr/bin/env x\n# syntax=x/y\nFROM a', ['x/y']],
    ['# escape=`\n# syntax=x/y\nFROM a', ['x/y']],
    ['// syntax=x/y\nFROM a', ['x/y']],
    ['#!/usr/bin/env x\n// syntax=x/y\nFROM a', ['x/y']],
    ['# a comment\n# syntax=x/y\nFROM a', []],
    ['\n# syntax=x/y\nFROM a', []],
    ['# syntax=\nFROM a', []],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual({ runtime: 'a', buildTime: expected, unresolved: [] });
  });

  it('is overridden by an argument', () => {
    expect(read('FROM a', { arguments: { BUILDKIT_SYNTAX: 'x/y' } }).buildTime).toEqual(['x/y']);
  });
});
