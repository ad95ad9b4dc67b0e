import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent, SequencedEvent } from '../../src/domain/event.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { CmdStep, Plan, Step, StepId } from '../../src/domain/step.ts';
import { createBuildStep, createCmdStep, createPushStep } from '../../src/domain/step-defaults.ts';
import { carryEvents, chooseTaken, findLostCommands, isWorkspaceWanted } from '../../src/engine/resume.ts';
import { runPlan } from '../../src/engine/run.ts';
import { createFakeRunner, type FakeScript } from '../../src/runner/fake/index.ts';
import { aPlan, createManualTimer } from '../rig/steps.ts';

const ids = (...names: string[]) => names as StepId[];
const cmd = (id: string, needs: string[] = [], change: Partial<CmdStep> = {}) =>
  createCmdStep(id, 'busybox', { needs: ids(...needs), ...change });
const build = (id: string, needs: string[] = []) => createBuildStep(id, { needs: ids(...needs) });
const push = (id: string, needs: string[] = []) => createPushStep(id, { images: ['r.io/app:1'], needs: ids(...needs) });

const succeeded: Outcome = { kind: 'succeeded' };
const failed: Outcome = { kind: 'failed', exitCode: 1, message: 'no' };
const skipped: Outcome = { kind: 'skipped', because: 'step x did not succeed' };

interface Given {
  readonly hasWorkspace?: boolean;
  readonly lost?: string[];
}

function taken(plan: Plan, outcomes: Record<string, Outcome>, { hasWorkspace = true, lost = [] }: Given = {}) {
  const all = new Set([...findLostCommands(plan, hasWorkspace), ...ids(...lost)]);
  const past = new Map(Object.entries(outcomes)) as unknown as Map<StepId, Outcome>;
  return [...chooseTaken({ plan, outcomes: past, lost: all }).keys()];
}

describe('a run that goes on from where another failed', () => {
  const line = aPlan(cmd('test'), build('image', ['test']), push('push', ['image']), cmd('deploy', ['push']));
  const ends = { test: succeeded, image: succeeded, push: succeeded, deploy: failed };

  it('takes over everything before the failed step when the workspace was kept', () => {
    expect(taken(line, ends)).toEqual(['test', 'image', 'push']);
  });

  it('runs again what wrote the workspace, and what was made of that, when it was not', () => {
    expect(taken(line, ends, { hasWorkspace: false })).toEqual([]);
  });

  it('needs no workspace for a push', () => {
    const plan = aPlan(cmd('test'), build('image', ['test']), push('push', ['image']));
    const outcomes = { test: succeeded, image: succeeded, push: failed };
    expect(taken(plan, outcomes, { hasWorkspace: false })).toEqual(['test', 'image']);
  });

  it('builds anew an image that is gone, and does again all that stands on it', () => {
    expect(taken(line, ends, { lost: ['image'] })).toEqual(['test']);
  });

  it('pushes again what the registry has not any more, although nothing else depends on it', () => {
    const plan = aPlan(build('image'), push('push', ['image']), cmd('other'));
    const outcomes = { image: succeeded, push: succeeded, other: failed };
    expect(taken(plan, outcomes)).toEqual(['image', 'push']);
    expect(taken(plan, outcomes, { lost: ['push'] })).toEqual(['image']);
    expect(taken(plan, outcomes, { lost: ['push', 'image'] })).toEqual([]);
  });

  it('leaves branches alone that the failure does not touch, whatever is left of their workspace', () => {
    const plan = aPlan(cmd('a1'), cmd('a2', ['a1']), cmd('b1'), cmd('b2', ['b1']));
    const outcomes = { a1: succeeded, b1: succeeded, a2: succeeded, b2: failed };
    expect(taken(plan, outcomes, { hasWorkspace: false })).toEqual(['a1', 'a2']);
  });

  it('starts services again, and does again what was done to them for those that run', () => {
    const plan = aPlan(
      cmd('compile'),
      cmd('db', ['compile'], { detach: true }),
      cmd('migrate', ['db']),
      cmd('check', ['db']),
      cmd('test', ['migrate']),
    );
    const outcomes = { compile: succeeded, db: succeeded, migrate: succeeded, check: succeeded, test: failed };
    expect(taken(plan, outcomes)).toEqual(['compile', 'check']);
  });

  it('does again what was made by the engine socket, or kept as a container, for those that run', () => {
    const plan = aPlan(
      cmd('engine', [], { usesEngine: true }),
      cmd('kept', [], { keep: true }),
      cmd('plain'),
      cmd('last', ['engine', 'kept', 'plain']),
    );
    expect(taken(plan, { engine: succeeded, kept: succeeded, plain: succeeded, last: failed })).toEqual(['plain']);
  });

  it('runs what was stopped, timed out or never started', () => {
    const plan = aPlan(cmd('a'), cmd('b'), cmd('c'), cmd('d', ['a']), cmd('e'));
    const outcomes: Record<string, Outcome> = {
      a: succeeded,
      b: { kind: 'canceled', reason: 'step c failed' },
      c: { kind: 'timed-out', afterMs: 5 },
      d: { kind: 'skipped', because: 'step c failed' },
    };
    expect(taken(plan, outcomes)).toEqual(['a']);
  });

  it('takes an ignored failure for what it was', () => {
    const plan = aPlan(cmd('lint', [], { ignoreErrors: true }), cmd('test', ['lint']));
    expect(taken(plan, { lint: failed, test: failed })).toEqual(['lint']);
  });

  it('takes over a handler that had nothing to handle, and runs one again that had', () => {
    const plan = aPlan(
      cmd('a'),
      cmd('on-a', ['a'], { runOn: 'failure' }),
      cmd('b', ['a']),
      cmd('on-b', ['b'], { runOn: 'failure' }),
      cmd('always', ['b'], { runOn: 'always' }),
    );
    const outcomes = { a: succeeded, 'on-a': skipped, b: failed, 'on-b': succeeded, always: succeeded };
    expect(taken(plan, outcomes)).toEqual(['a', 'on-a']);
  });

  it('never takes over a step that stands on one that runs, nor lets a step run on an effect that is gone', () => {
    const kinds = fc.constantFrom('cmd', 'service', 'build', 'push');
    const ends = fc.constantFrom(succeeded, succeeded, succeeded, failed, skipped);
    const one = fc.record({
      kind: kinds,
      end: ends,
      isLost: fc.boolean(),
      needs: fc.array(fc.nat(7), { maxLength: 3 }),
    });
    const makeStep = (kind: string, id: string, needs: string[]): Step => {
      if (kind === 'build') return build(id, needs);
      if (kind === 'push') return push(id, needs);
      return cmd(id, needs, { detach: kind === 'service' });
    };
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), fc.boolean(), (list, hasWorkspace) => {
        const steps = list.map(({ kind, needs }, index) =>
          makeStep(kind, `s${index}`, [...new Set(needs.filter((need) => need < index).map((need) => `s${need}`))]),
        );
        const plan = aPlan(...steps);
        const outcomes = new Map(steps.map(({ id }, index) => [id, list[index]!.end]));
        const lost = new Set([
          ...findLostCommands(plan, hasWorkspace),
          ...steps.flatMap(({ id, kind }, index) => (kind !== 'cmd' && list[index]!.isLost ? [id] : [])),
        ]);
        const chosen = chooseTaken({ plan, outcomes, lost });
        const services = new Set(steps.filter((step) => step.kind === 'cmd' && step.detach).map(({ id }) => id));
        for (const step of steps) {
          if (chosen.has(step.id)) {
            expect(outcomes.get(step.id)).not.toBe(failed);
            expect(services.has(step.id)).toBe(false);
            for (const need of step.needs) expect(chosen.has(need) || services.has(need)).toBe(true);
          } else if (step.kind === 'build' || step.kind === 'cmd') {
            for (const need of step.needs) expect(chosen.has(need) && lost.has(need)).toBe(false);
          }
        }
      }),
    );
  });

  it('has use for the workspace only when a command before the failure succeeded', () => {
    const past = (outcomes: Record<string, Outcome>) => new Map(Object.entries(outcomes)) as Map<never, Outcome>;
    expect(isWorkspaceWanted(line, past({ test: failed }))).toBe(false);
    expect(isWorkspaceWanted(line, past({ test: succeeded, image: failed }))).toBe(true);
    const service = aPlan(cmd('db', [], { detach: true }), cmd('test', ['db']));
    expect(isWorkspaceWanted(service, past({ db: succeeded, test: failed }))).toBe(false);
  });
});

const [one, two, three] = ids('one', 'two', 'three') as [StepId, StepId, StepId];
const digest = `sha256:${'a'.repeat(64)}` as never;
const image = { registry: 'r.io', repository: 'app', digest };
const earlier: RunEvent[] = [
  { kind: 'run-planned', steps: [] },
  { kind: 'step-ended', step: two, outcome: succeeded },
  { kind: 'run-planned', steps: [] },
  { kind: 'step-started', step: one },
  { kind: 'output', step: one, stream: 'stdout', text: 'x' },
  { kind: 'image-pushed', step: one, image },
  { kind: 'step-ended', step: one, outcome: { kind: 'succeeded', outputs: { v: '7' } } },
  { kind: 'step-ended', step: two, outcome: succeeded, takenFrom: 'ca0' as RunId },
  { kind: 'step-ended', step: three, outcome: failed },
  { kind: 'run-ended', status: 'Failed' },
];
const stored = earlier.map((event, seq): SequencedEvent => ({ ...event, seq, at: '2026-01-01T00:00:00Z' }));

describe('what is said of steps that were taken over', () => {
  it('is what they pushed and how they ended, since the run was last planned, and where that was', () => {
    const both = new Map([one, two].map((id) => [id, succeeded]));
    expect(carryEvents(stored, both, 'ca1' as RunId)).toEqual([
      { kind: 'image-pushed', step: one, image, takenFrom: 'ca1' },
      { kind: 'step-ended', step: one, outcome: { kind: 'succeeded', outputs: { v: '7' } }, takenFrom: 'ca1' },
      { kind: 'step-ended', step: two, outcome: succeeded, takenFrom: 'ca0' },
    ]);
  });
});

function run(plan: Plan, finished: Record<string, Outcome>, script: FakeScript, keepFailed = true) {
  const runner = createFakeRunner(script);
  const events: RunEvent[] = [];
  const past = new Map(Object.entries(finished)) as unknown as Map<StepId, Outcome>;
  const done = runPlan({
    plan,
    setup: { runId: 'ca2' as RunId, attempt: 1, plan, registryCredentials: {} },
    runner,
    timeoutMs: 3_600_000,
    timer: createManualTimer().timer,
    clock: { now: () => 0 },
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    takenOver: { finished: past, events: carryEvents(stored, past, 'ca1' as RunId) },
    keepFailed,
  });
  const ran = () => runner.calls.flatMap((call) => (call.kind === 'run' ? [call.step] : []));
  return { runner, events, done, ran };
}

describe('the steps that are left', () => {
  const reads = { reads: [{ step: 'one', name: 'v' }], cmd: 'busybox slipway.output.one.v.end' };
  const plan = aPlan(cmd('one', [], { outputs: ['v'] }), cmd('two'), cmd('three', ['one', 'two'], reads));
  const before = { one: { kind: 'succeeded', outputs: { v: '7' } }, two: succeeded } as const;

  it('run with the outputs of those that were taken over, whose ends are said once, before anything runs', async () => {
    const { done, ran, events } = run(plan, before, {});
    expect(await done).toEqual({ status: 'Succeeded' });
    expect(ran().map(({ id, ...step }) => [id, (step as CmdStep).cmd])).toEqual([['three', 'busybox 7']]);
    expect(events.map((event) => [event.kind, 'step' in event ? event.step : undefined])).toEqual([
      ['run-planned', undefined],
      ['image-pushed', 'one'],
      ['step-ended', 'one'],
      ['step-ended', 'two'],
      ['step-started', 'three'],
      ['step-ended', 'three'],
    ]);
  });

  it.each([
    ['kept when they fail', { three: failed }, true, true],
    ['not kept when they succeed', {}, true, undefined],
    ['not kept when no command before them succeeded', { one: failed, two: failed }, true, undefined],
    ['not kept where nothing is to be kept', { three: failed }, false, undefined],
  ])('leave a workspace that is %s', async (...[, script, keepFailed, kept]) => {
    const { done, runner } = run(plan, {}, { one: before.one, ...script }, keepFailed);
    await done;
    const { keepWorkspace } = runner.calls.at(-1) as { keepWorkspace?: true };
    expect(keepWorkspace).toBe(kept);
  });
});
