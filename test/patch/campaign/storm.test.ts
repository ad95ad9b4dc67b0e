import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../config/properties.ts';
import { builtTwice, Storm, type Happening } from './storm.ts';
import { keyOf, taskName, trigger, World, type TestTask } from './world.ts';

const which = fc.nat(20);
/** 0: nobody dies. */
const diesAt = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 25 }) },
);

function happenings(
  actions: readonly ('pause' | 'resume' | 'retry' | 'cancel' | 'rollback')[],
): fc.Arbitrary<Happening> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('push' as const), base: fc.nat(2), diesAt }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('begin' as const), which }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('end' as const),
        which,
        how: fc.constantFrom('new' as const, 'new' as const, 'same' as const, 'bad' as const),
        diesAt,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('command' as const),
        action: fc.constantFrom(...actions),
        which,
        diesAt,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('look' as const), diesAt }) },
  );
}

/**
 * Tasks that stand on some of three bases and on tasks before them, or on any; some of them in an early wave. Some are rebuilt for the first of
 * those alone.
 */
function graphs(order: 'acyclic' | 'any'): fc.Arbitrary<readonly TestTask[]> {
  const one = fc.record({
    bases: fc.subarray([0, 1, 2]),
    on: fc.array(fc.nat(20), { maxLength: 3 }),
    isEarly: fc.nat(5),
    isReader: fc.nat(2),
  });
  return fc.array(one, { minLength: 1, maxLength: 8 }).map((tasks) =>
    tasks.map(({ bases, on, isEarly, isReader }, at) => {
      const count = order === 'any' ? tasks.length : at;
      const others = count === 0 ? [] : on.map((each) => each % count).filter((each) => each !== at);
      const all = [...bases.map((base) => `base${String(base)}`), ...others.map((each) => `t${String(each)}`)];
      const wave = isEarly === 0 ? { wave: 0 } : {};
      const type = isReader === 0 ? ('Runtime' as const) : ('All' as const);
      return {
        name: `t${String(at)}`,
        on: all.length > 0 ? [...new Set(all)] : ['base0'],
        change: { trigger: { ...trigger, baseImageTriggerType: type, ...wave } },
      };
    }),
  );
}

const policies = fc.record({
  concurrency: fc.constantFrom(1, 2, 100),
  retries: fc.nat(1),
  retryBudget: fc.nat(2),
  breakerAfter: fc.constant(100),
});

async function weather(
  tasks: readonly TestTask[],
  policy: World['policy'],
  all: readonly (readonly Happening[])[],
): Promise<{ storm: Storm; world: World; isCalm: boolean }> {
  const world = new World();
  world.policy = policy;
  for (const { name } of tasks) world.set(name);
  await world.define(...tasks);
  const storm = new Storm(world, 2);
  for (const some of all) await Promise.all(some.map((one) => storm.happen(one)));
  return { storm, world, isCalm: await storm.calm() };
}

/** Tasks whose images stand on something else than what its tag stands for, unless they are not rebuilt for it. */
function findOutdated(world: World, tasks: readonly TestTask[]): readonly string[] {
  return tasks.flatMap(({ name, change }) =>
    world.record(taskName(name)).images.flatMap(({ runtime, buildTime }) => {
      const isForAll = change?.trigger?.baseImageTriggerType === 'All';
      const bases = [...(runtime ? [runtime] : []), ...(isForAll ? buildTime : [])];
      const old = bases.filter((base) => {
        const history = world.history.get(keyOf(base)) ?? [];
        // What has never changed since the tasks were made needs no run.
        return (
          history.length > (base.repository.startsWith('base') ? 0 : 1) &&
          base.digest !== world.registry.get(keyOf(base))
        );
      });
      return old.map((base) => `${name} on ${base.repository}`);
    }),
  );
}

const alone = (all: readonly Happening[]): readonly (readonly Happening[])[] => all.map((one) => [one]);

describe('whatever happens, in whatever order, and whoever dies', () => {
  it('everything is built in order, once, and on the newest in the end', async () => {
    const all = fc.array(happenings(['pause', 'resume', 'retry']), { maxLength: 40 }).map(alone);
    await fc.assert(
      fc.asyncProperty(graphs('acyclic'), policies, all, async (tasks, policy, happened) => {
        const { storm, world, isCalm } = await weather(tasks, policy, happened);
        expect(storm.faults).toEqual([]);
        expect(isCalm).toBe(true);
        expect(builtTwice(storm)).toEqual([]);
        expect(findOutdated(world, tasks)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it('so it is when several processes are at it at the same time', async () => {
    const one = happenings(['pause', 'resume', 'retry']).map((happened) => ({ ...happened, diesAt: 0 }));
    const all = fc.array(fc.array(one, { minLength: 1, maxLength: 4 }), { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(graphs('acyclic'), policies, all, async (tasks, policy, happened) => {
        const { storm, world, isCalm } = await weather(tasks, policy, happened);
        // What comes into a campaign at the same moment comes too late for what has begun.
        expect(storm.faults.filter((fault) => !fault.includes('reads'))).toEqual([]);
        expect(isCalm).toBe(true);
        expect(findOutdated(world, tasks)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it('all campaigns come to an end, also in circles, canceled and rolled back', async () => {
    const all = fc.array(happenings(['pause', 'resume', 'retry', 'cancel', 'rollback']), { maxLength: 40 }).map(alone);
    await fc.assert(
      fc.asyncProperty(graphs('any'), policies, all, async (tasks, policy, happened) => {
        const { storm, isCalm } = await weather(tasks, policy, happened);
        // In a circle somebody is first.
        expect(storm.faults.filter((fault) => !/older|reads/.test(fault))).toEqual([]);
        expect(isCalm).toBe(true);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
