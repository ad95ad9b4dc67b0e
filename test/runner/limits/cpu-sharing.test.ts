import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineRefusal } from '../../../src/runner/docker/errors.ts';
import { createCpuSharing, divideCpus } from '../../../src/runner/docker/limits/cpu-sharing.ts';
import type { EngineRequest } from '../../../src/runner/docker/request.ts';
import { createStartups } from '../../../src/runner/docker/startups.ts';

describe('processors', () => {
  it('are divided equally, and what one does not need goes to the others', () => {
    expect(divideCpus(3e9, [3e9, 3e9, 3e9])).toEqual([1e9, 1e9, 1e9]);
    expect(divideCpus(3e9, [3e9, 2e8, 3e9])).toEqual([1.4e9, 2e8, 1.4e9]);
    expect(divideCpus(1e9, [])).toEqual([]);
  });

  it('never come to more than there are, and nobody has more than it may', () => {
    const caps = fc.array(fc.integer({ min: 10_000_000, max: 8e9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1e9, max: 64e9 }), caps, (total, given) => {
        const parts = divideCpus(total, given);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(total);
        expect(parts.every((part, index) => part <= (given[index] ?? 0))).toBe(true);
      }),
    );
  });
});

/** An engine that has containers of a run, and knows what each may use. */
function anEngine(up: Map<string, string | undefined>) {
  const parts = new Map<string, number>();
  const calls: string[] = [];
  const json = async ({ method, path, body }: EngineRequest): Promise<unknown> => {
    calls.push(`${method} ${path}`);
    if (method === 'GET')
      return [...up].map(([Id, cap]) => ({ Id, Labels: cap === undefined ? {} : { 'slipway.cpus': cap } }));
    const id = path.split('/')[2] ?? '';
    if (id === 'gone') throw new EngineRefusal(404, 'No such container: gone');
    parts.set(id, (body as { NanoCpus: number }).NanoCpus);
    return {};
  };
  const never = (): never => {
    throw new Error('not used');
  };
  return { calls: { json, stream: never, hijack: never }, parts, told: calls };
}

describe('containers of a run with few processors', () => {
  function share(up: Map<string, string | undefined>) {
    const engine = anEngine(up);
    let behind: Promise<void> = Promise.resolve();
    const inBackground = (_: string, work: () => Promise<void>): Promise<void> => (behind = work());
    const sharing = createCpuSharing({ engine: engine.calls, runLabels: { run: 'ca1' }, total: 2e9, inBackground });
    return { sharing, parts: engine.parts, told: engine.told, settle: () => behind };
  }

  it('make room before another one starts, and share what it leaves', async () => {
    const up = new Map<string, string | undefined>();
    const { sharing, parts, settle } = share(up);
    await sharing.starting('a', undefined, async () => up.set('a', undefined));
    expect(Object.fromEntries(parts)).toEqual({ a: 2e9 });
    await sharing.starting('b', 5e8, async () => {
      expect(Object.fromEntries(parts)).toEqual({ a: 1.5e9, b: 5e8 });
      up.set('b', '500000000');
    });
    up.delete('a');
    sharing.ended();
    await settle();
    expect(parts.get('b')).toBe(5e8);
    up.set('a', undefined).delete('b');
    sharing.ended();
    await settle();
    expect(parts.get('a')).toBe(2e9);
  });

  it('count those that start at the same time, and those that something else began', async () => {
    const up = new Map<string, string | undefined>([['other', 'nonsense']]);
    const { sharing, parts } = share(up);
    const both = ['a', 'b'].map((id) => sharing.starting(id, undefined, async () => up.set(id, undefined)));
    await Promise.all(both);
    expect([...parts.values()]).toEqual([666_666_666, 666_666_667, 666_666_667]);
  });

  it('are not kept from starting by one that is gone, and by a start that fails', async () => {
    const up = new Map([['gone', undefined]]);
    const { sharing } = share(up);
    await expect(sharing.starting('a', undefined, () => Promise.resolve('up'))).resolves.toBe('up');
    await expect(sharing.starting('b', undefined, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('containers on their way up', () => {
  it('are waited for by what is in nobody’s way', async () => {
    const startups = createStartups();
    const log: string[] = [];
    await startups.over();
    let arrive = (): void => undefined;
    const first = startups.during(() => new Promise<void>((resolve) => (arrive = resolve)));
    const failing = startups.during(() => Promise.reject(new Error('no'))).catch(() => log.push('failed'));
    const over = startups.over().then(() => log.push('over'));
    await failing;
    log.push('arrived');
    arrive();
    await Promise.all([first, over]);
    expect(log).toEqual(['failed', 'arrived', 'over']);
  });
});
