import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { outputPlaceholder, type OutputReference } from '../../src/domain/output-reference.ts';
import type { OutputImage } from '../../src/domain/run.ts';
import { createBuildStep, createCmdStep, createPushStep } from '../../src/domain/step-defaults.ts';
import type { Step, StepId } from '../../src/domain/step.ts';
import { fillOutputs, withholdSecrets, withPushOutputs } from '../../src/engine/outputs.ts';
import { recordIo, succeeded } from './tries.ts';

const tag: OutputReference = { step: 'version', name: 'tag' };
const word = outputPlaceholder(tag);
const signal = new AbortController().signal;

function outcomesOf(outcome: Outcome): ReadonlyMap<StepId, Outcome> {
  return new Map([['version' as StepId, outcome]]);
}

const giving = (value: string): ReadonlyMap<StepId, Outcome> =>
  outcomesOf({ kind: 'succeeded', outputs: { tag: value } });

function filled(step: Step, value: string): Step {
  const result = fillOutputs(step, giving(value));
  if (!result.ok) throw new Error(result.outcome.message);
  return result.step;
}

function refused(step: Step, outcomes: ReadonlyMap<StepId, Outcome>): string {
  const result = fillOutputs(step, outcomes);
  if (result.ok) throw new Error('the step can run');
  return result.outcome.message;
}

const cmd = createCmdStep('use', 'busybox', {
  arguments: ['echo', `v${word}`, word],
  env: [{ name: 'V', value: word }],
  workingDirectory: `/workspace/${word}`,
  reads: [tag],
});

describe('outputs in a step', () => {
  it('leave a step that reads none alone', () => {
    const step = createCmdStep('use', 'busybox', { arguments: [word] });
    expect(fillOutputs(step, new Map())).toEqual({ ok: true, step });
    expect(fillOutputs({ ...step, reads: [] }, new Map())).toMatchObject({ ok: true, step: { arguments: [word] } });
  });

  it('have their values in all of its texts, each in one word', () => {
    expect(filled(cmd, '1.2 $(x) "y"')).toMatchObject({
      arguments: ['echo', 'v1.2 $(x) "y"', '1.2 $(x) "y"'],
      env: [{ name: 'V', value: '1.2 $(x) "y"' }],
      workingDirectory: '/workspace/1.2 $(x) "y"',
      timeoutSeconds: 600,
      privileged: false,
    });
    expect(filled(cmd, 'x')).not.toHaveProperty('reads');
  });

  it('are not looked at again: a value that looks like an output is a value', () => {
    expect(filled(cmd, word)).toMatchObject({ arguments: ['echo', `v${word}`, word] });
    expect(filled(cmd, '$& $1')).toMatchObject({ arguments: ['echo', 'v$& $1', '$& $1'] });
  });

  it('may be empty', () => {
    expect(filled(cmd, '')).toMatchObject({ arguments: ['echo', 'v', ''] });
  });

  it('reach build arguments and tags, and what the step gives itself is kept', () => {
    const step = createBuildStep('build', {
      tags: [`app:${word}`],
      arguments: [{ name: 'V', value: word, isSecret: false }],
      reads: [tag],
      outputs: ['x'],
    });
    expect(filled(step, '1.2')).toMatchObject({
      tags: ['app:1.2'],
      arguments: [{ name: 'V', value: '1.2' }],
      outputs: ['x'],
    });
  });

  it('make images of a push, with the tag that is meant without one', () => {
    const step = createPushStep('push', { images: [word, `app:${word}`, 'BAD as it was:x'], reads: [tag] });
    expect(filled(step, 'team')).toMatchObject({ images: ['team:latest', 'app:team', 'BAD as it was:x'] });
    expect(filled({ ...step, images: [word] }, 'r.io:5000/app:v1')).toMatchObject({ images: ['r.io:5000/app:v1'] });
  });

  it.each([
    ['cmd', createCmdStep('use', word, { reads: [tag] })],
    ['build', createBuildStep('use', { tags: [`app:${word}`], reads: [tag] })],
    ['push', createPushStep('use', { images: [word], reads: [tag] })],
  ])('must make an image reference where a %s has one', (_kind, step) => {
    for (const value of ['a b', 'app --privileged', 'x:y:z', '', 'app\nb'])
      expect(refused(step, giving(value))).toContain('an output does not fit: ');
  });
});

describe('a step that misses an output', () => {
  it.each<[string, Outcome]>([
    ['step version did not give the output "tag"', { kind: 'succeeded' }],
    ['step version did not give the output "tag"', { kind: 'succeeded', outputs: { other: 'x' } }],
    [
      'step version was done by another worker, and its output "tag" holds a secret, which is not kept',
      { kind: 'succeeded', outputs: {}, withheld: ['tag'] },
    ],
    ['step version did not succeed, and so gave no outputs', { kind: 'failed', message: 'x' }],
    ['step version did not succeed, and so gave no outputs', { kind: 'timed-out', afterMs: 1 }],
    ['step version did not succeed, and so gave no outputs', { kind: 'canceled', reason: 'x' }],
    ['step version was skipped, and so gave no outputs', { kind: 'skipped', because: 'x' }],
  ])('fails: %s', (message, outcome) => {
    expect(refused(cmd, outcomesOf(outcome))).toBe(`{{.Outputs.version.tag}}: ${message}`);
  });

  it('fails without the step too, and does not take what every object has', () => {
    expect(refused(cmd, new Map())).toBe('{{.Outputs.version.tag}}: step version has not run');
    const step = createCmdStep('use', 'x', {
      arguments: [outputPlaceholder({ step: 'version', name: 'constructor' })],
      reads: [tag],
    });
    expect(refused(step, giving('x'))).toContain('did not give the output "constructor"');
  });
});

describe('a push', () => {
  const image = (repository: string, digit: string): OutputImage => ({
    registry: 'r.io',
    repository: repository,
    tag: 'v1',
    digest: `sha256:${digit.repeat(64)}` as Digest,
  });
  const run = (step: Step, outcome: Outcome, ...images: OutputImage[]) => {
    const io = recordIo();
    const done = withPushOutputs(async (_step, own) => {
      own.output('stdout', 'pushing');
      for (const one of images) own.pushed(one);
      return outcome;
    })(step, io, signal, 1);
    return { io, done };
  };
  const wanted = createPushStep('push', { outputs: ['digest'] });

  it('gives the digests of what it pushed', async () => {
    const { io, done } = run(wanted, succeeded, image('app', 'a'), image('web', 'b'));
    const [a, b] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
    expect(await done).toEqual({
      kind: 'succeeded',
      outputs: { digest: a, digests: `${a},${b}`, image: `r.io/app@${a}` },
    });
    expect(io.images).toEqual(['app', 'web']);
    expect(io.lines).toEqual(['stdout: pushing']);
  });

  it('gives nothing when nobody asks, when it failed, and when it pushed nothing', async () => {
    expect(await run(createPushStep('push'), succeeded, image('app', 'a')).done).toEqual(succeeded);
    const failure: Outcome = { kind: 'failed', message: 'no' };
    expect(await run(wanted, failure, image('app', 'a')).done).toEqual(failure);
    expect(await run(wanted, succeeded).done).toEqual({ kind: 'succeeded', outputs: {} });
    expect(await run(createCmdStep('cmd', 'x', { outputs: ['digest'] }), succeeded).done).toEqual(succeeded);
  });
});

describe('the record of an outcome', () => {
  const mask = (text: string): string => text.replaceAll('s3cret', '***');

  it('leaves out what holds a secret, and says so', () => {
    const outcome: Outcome = { kind: 'succeeded', outputs: { a: 'x', b: 'my s3cret' } };
    expect(withholdSecrets(outcome, mask)).toEqual({ kind: 'succeeded', outputs: { a: 'x' }, withheld: ['b'] });
  });

  it('is the outcome itself otherwise', () => {
    for (const outcome of [
      succeeded,
      { kind: 'succeeded', outputs: { a: 'x' } },
      { kind: 'failed', message: 's3cret' },
    ] as const)
      expect(withholdSecrets(outcome, mask)).toBe(outcome);
  });
});
