import { EngineRefusal } from '../errors.ts';
import { numberField, objectField } from '../json-lines.ts';
import type { EngineCalls } from '../request.ts';

/** What an engine has to share. */
export interface Capacity {
  /** 0 where it does not say. */
  readonly memoryBytes: number;
  /** 0 where it does not say, or cannot limit them. */
  readonly cpus: number;
}

/** Of an engine that does not say, or was not asked. */
export const unknownCapacity: Capacity = { memoryBytes: 0, cpus: 0 };

async function ask(engine: EngineCalls): Promise<Capacity> {
  try {
    const info = await engine.json({ method: 'GET', path: '/info' });
    const canLimitCpus = objectField(info, 'CpuCfsQuota') === true;
    return { memoryBytes: numberField(info, 'MemTotal'), cpus: canLimitCpus ? numberField(info, 'NCPU') : 0 };
  } catch (error) {
    if (error instanceof EngineRefusal) return unknownCapacity;
    throw error;
  }
}

/** Asks an engine what it has, and keeps the answer. Rejects with `engine-unavailable`, and asks again the next time. */
export function createCapacity(engine: EngineCalls): () => Promise<Capacity> {
  let known: Promise<Capacity> | undefined;
  return () => {
    known ??= ask(engine).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}
