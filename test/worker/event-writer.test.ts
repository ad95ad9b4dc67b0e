import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/domain/event.ts';
import { fail } from '../../src/domain/failure.ts';
import type { RunId } from '../../src/domain/run.ts';
import { createEventWriter } from '../../src/worker/event-writer.ts';

const line = (text: string): RunEvent => ({ kind: 'output', stream: 'stdout', text });

function rig(answers: (() => Promise<void>)[] = []) {
  const batches: string[][] = [];
  let superseded = 0;
  const writer = createEventWriter({
    store: {
      append: async (_id, _attempt, events) => {
        await answers.shift()?.();
        batches.push(events.map((event) => (event.kind === 'output' ? event.text : event.kind)));
      },
    },
    runId: 'ca1' as RunId,
    attempt: 1,
    retryMs: 1,
    onSuperseded: () => (superseded += 1),
  });
  return { writer, batches, superseded: () => superseded };
}

describe('the event writer', () => {
  it('writes the first event at once, and what comes meanwhile as one batch', async () => {
    const { writer, batches } = rig();
    for (const text of ['a', 'b', 'c']) writer.emit(line(text));
    await writer.drain();
    expect(batches).toEqual([['a'], ['b', 'c']]);
  });

  it('tries again while the store is away, losing and doubling nothing', async () => {
    const away = () => Promise.reject(fail('redis-unavailable', 'away'));
    const { writer, batches } = rig([away, away]);
    writer.emit(line('a'));
    writer.emit(line('b'));
    await writer.drain();
    expect(batches.flat()).toEqual(['a', 'b']);
  });

  it('stops, and says so once, when a later attempt has the run', async () => {
    const { writer, batches, superseded } = rig([() => Promise.reject(fail('conflict', 'a later attempt exists'))]);
    writer.emit(line('a'));
    writer.emit(line('b'));
    await expect(writer.drain()).rejects.toThrow('later attempt');
    writer.emit(line('c'));
    expect(batches).toEqual([]);
    expect(superseded()).toBe(1);
  });

  it('bounds what waits: output is dropped with a mark, events that matter are not', async () => {
    let letGo: () => void = () => undefined;
    const { writer, batches } = rig([() => new Promise((resolve) => (letGo = resolve))]);
    for (let index = 0; index < 100_500; index += 1) writer.emit(line('x'));
    writer.emit({ kind: 'run-ended', status: 'Succeeded' });
    letGo();
    await writer.drain();
    const all = batches.flat();
    expect(all.length).toBeLessThan(100_010);
    expect(all.filter((text) => text.startsWith('output was left out'))).toHaveLength(1);
    expect(all.at(-1)).toBe('run-ended');
  });
});
