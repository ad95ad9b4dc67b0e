import { EngineRefusal } from '../errors.ts';
import { objectField, textField } from '../json-lines.ts';
import type { EngineCalls } from '../request.ts';
import { labels } from '../scope.ts';
import type { CpuSharing } from './cpus.ts';

/** The engine takes no less than a hundredth of a processor. */
const leastNanos = 10_000_000;

/**
 * Parts of `total` for those who may have at most what stands in `caps`, in the same order: who needs less leaves the rest to the others.
 * At least a hundredth of a processor each.
 */
export function divideCpus(total: number, caps: readonly number[]): readonly number[] {
  const parts = caps.map(() => 0);
  let left = total;
  let count = caps.length;
  for (const [cap, index] of caps.map((one, at) => [one, at] as const).sort(([one], [other]) => one - other)) {
    const part = Math.min(cap, Math.floor(left / count));
    left -= part;
    count -= 1;
    parts[index] = Math.max(leastNanos, part);
  }
  return parts;
}

/** Whose containers share how much. */
export interface SharedCpus {
  readonly engine: EngineCalls;
  /** The labels that all containers of the run have. */
  readonly runLabels: Readonly<Record<string, string>>;
  /** Billionths of a processor. */
  readonly total: number;
  readonly inBackground: (what: string, work: () => Promise<void>) => Promise<void>;
}

/** The containers of the run that are up, with the most that each may use: steps' own ones and those made by the run's engine socket. */
async function listUp({ engine, runLabels, total }: SharedCpus): Promise<Map<string, number>> {
  const label = Object.entries(runLabels).map(([name, value]) => `${name}=${value}`);
  const query = { filters: JSON.stringify({ label }) };
  const answer = await engine.json({ method: 'GET', path: '/containers/json', query });
  const up = (Array.isArray(answer) ? answer : []).map((one: unknown): [string, number] => {
    const cap = Number(textField(objectField(one, 'Labels'), labels.cpus));
    return [textField(one, 'Id') ?? '', cap > 0 ? Math.min(cap, total) : total];
  });
  return new Map(up);
}

async function update(engine: EngineCalls, id: string, nanoCpus: number): Promise<boolean> {
  try {
    await engine.json({ method: 'POST', path: `/containers/${id}/update`, body: { NanoCpus: nanoCpus } });
    return true;
  } catch (error) {
    // It has ended by now: what it had is free.
    if (error instanceof EngineRefusal) return false;
    throw error;
  }
}

/** Shares the processors of a run among its containers, anew whenever one of them starts or ends. */
export function createCpuSharing(shared: SharedCpus): CpuSharing {
  const { engine, total, inBackground } = shared;
  const starting = new Map<string, number>();
  let given = new Map<string, number>();
  const give = async (parts: readonly (readonly [id: string, part: number])[]): Promise<void> => {
    await Promise.all(
      parts.map(async ([id, part]) => {
        if (await update(engine, id, part)) given.set(id, part);
      }),
    );
  };
  const divide = async (): Promise<void> => {
    const all = [...new Map([...(await listUp(shared)), ...starting])];
    const parts = divideCpus(
      total,
      all.map(([, cap]) => cap),
    );
    const wanted = all.map(([id], index) => [id, parts[index] ?? leastNanos] as const);
    given = new Map([...given].filter(([id]) => wanted.some(([one]) => one === id)));
    const isLess = ([id, part]: readonly [string, number]): boolean =>
      part < (given.get(id) ?? Number.POSITIVE_INFINITY);
    const isMore = ([id, part]: readonly [string, number]): boolean =>
      part > (given.get(id) ?? Number.POSITIVE_INFINITY);
    const [less, more] = [wanted.filter(isLess), wanted.filter(isMore)];
    await give(less);
    await give(more);
  };
  let last: Promise<void> = Promise.resolve();
  const divideNext = (): Promise<void> => {
    last = last.catch(() => undefined).then(divide);
    return last;
  };
  return {
    starting: async (id, nanoCpus, start) => {
      starting.set(id, Math.min(nanoCpus ?? total, total));
      try {
        await divideNext();
        return await start();
      } finally {
        starting.delete(id);
      }
    },
    ended: () => void inBackground('sharing the processors of a run', divideNext),
  };
}
