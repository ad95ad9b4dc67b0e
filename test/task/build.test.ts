import { describe, expect, it } from 'vitest';
import type { BuildStep } from '../../src/domain/step.ts';
import { errorsOf, planned, warningsOf } from './rig.ts';

function taskOf(build: string, more = ''): string {
  return `steps:\n  - build: ${JSON.stringify(build)}\n${more}`;
}

function stepOf(build: string, more = ''): BuildStep {
  const [step] = planned(taskOf(build, more)).steps;
  if (step?.kind !== 'build') throw new Error('no build step');
  return step;
}

describe('a build step', () => {
  it('is read into what a builder takes', () => {
    const text =
      '-t a/b:1 --tag=c -f d/Dockerfile --build-arg A=1 --build-arg "B=x y" --target t --platform linux/arm64 --no-cache --pull --label l=v ctx';
    expect(stepOf(text)).toMatchObject({
      tags: ['a/b:1', 'c'],
      dockerfile: 'd/Dockerfile',
      arguments: [
        { name: 'A', value: '1', isSecret: false },
        { name: 'B', value: 'x y', isSecret: false },
      ],
      target: 't',
      platform: 'linux/arm64',
      noCache: true,
      pull: true,
      labels: [{ name: 'l', value: 'v' }],
      context: { kind: 'local', path: 'ctx' },
      options: [],
    });
  });

  it.each([
    ['.', { kind: 'local', path: '.' }],
    ['https://github.com/o/r.git#main:dir', { kind: 'git', url: 'https://github.com/o/r.git#main:dir' }],
    ['git@github.com:o/r', { kind: 'git', url: 'git@github.com:o/r' }],
    ['https://dev.azure.com/o/p/_git/r', { kind: 'git', url: 'https://dev.azure.com/o/p/_git/r' }],
    ['https://example.com/a.tar.gz', { kind: 'tarball', url: 'https://example.com/a.tar.gz' }],
    ['oci://r.example/a:1', { kind: 'oci', url: 'oci://r.example/a:1' }],
  ])('knows the context %s', (word, context) => {
    expect(stepOf(`-t a ${word}`).context).toEqual(context);
    expect(stepOf(`--pull ${word} -t a`).context).toEqual(context);
  });

  it('keeps further flags, and leaves out those that change nothing', () => {
    expect(stepOf('--shm-size 1g --progress plain --squash -q --secret id=a,src=b .').options).toEqual([
      { name: 'shm-size', value: '1g' },
      { name: 'squash' },
      { name: 'secret', value: 'id=a,src=b' },
    ]);
  });

  it('takes the value of a build argument from its env', () => {
    expect(stepOf('--build-arg A .', '    env: [A=1]\n').arguments).toEqual([
      { name: 'A', value: '1', isSecret: false },
    ]);
    expect(warningsOf(taskOf('--build-arg A .'))).toHaveLength(1);
  });

  it('is cached in the registry when asked for', () => {
    expect(stepOf('.', '    cache: Enabled\n').cache).toBe(true);
    expect(errorsOf(taskOf('.', '    cache: on\n'))).toEqual(['3:12 cache is "enabled" or "disabled"']);
  });

  it.each([
    ['-t a . b', 'build takes one context, and has ".", "b"'],
    ['-t a -', 'a build step has no standard input; its context cannot be "-"'],
    ['-t a . && x', 'build has | & ; < > ( ) or $( ) outside quotes, which the original runs on its own host'],
    ['-t', '-t in build has no value'],
    [
      '--output x .',
      '--output cannot be used here: an image is built and kept on the engine; a step "push" sends it to a registry',
    ],
    ['-t "a .', 'a double quote is not closed in build'],
  ])('refuses %j', (text, message) => {
    expect(errorsOf(taskOf(text))).toEqual([`2:12 ${message}`]);
  });

  it.each([
    ['-t a', '2:12 build names no context; "." is taken'],
    ['-t A:b .', '2:12 "A:b" is no image name; the build will fail'],
    ['--tagg a:b .', '2:12 docker build has no flag --tagg; it is ignored'],
  ])('warns of %j', (text, message) => {
    expect(warningsOf(taskOf(text))).toEqual([message]);
  });
});
