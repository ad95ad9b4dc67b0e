import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fail } from '../domain/failure.ts';
import type { CheckMessage, CheckOrder, CollectionOrder, CollectionReport } from '../domain/registry-upkeep.ts';
import { callApi, readJson, type ApiTarget } from './api-call.ts';

/** The calls that keep the registry's store in order. */
export interface UpkeepCalls {
  collectRegistry(order: CollectionOrder): Promise<CollectionReport>;
  /** What a check finds, as it finds it. Rejects with `server-unreachable` when the connection breaks before its end. */
  checkRegistry(order: CheckOrder): AsyncIterable<CheckMessage>;
}

/** Garbage collection may have much to remove. */
const collectMs = 3_600_000;

type Line = CheckMessage | { readonly is: 'failure'; readonly message: string };

async function* readCheck(target: ApiTarget, order: CheckOrder): AsyncGenerator<CheckMessage> {
  const call = { method: 'POST', path: '/registry/check', body: order, repeat: 'never' } as const;
  const { body } = await callApi(target, call);
  if (body === null) return;
  let isWhole = false;
  for await (const text of createInterface({ input: Readable.fromWeb(body), crlfDelay: Infinity })) {
    const line = JSON.parse(text) as Line;
    if (line.is === 'failure') throw fail('storage-unavailable', line.message);
    isWhole = line.is === 'summary';
    yield line;
  }
  if (!isWhole) throw fail('server-unreachable', `${target.server} broke off before the check was at its end`);
}

export function createUpkeepCalls(target: ApiTarget): UpkeepCalls {
  return {
    collectRegistry: async (order) => {
      const call = {
        method: 'POST',
        path: '/registry/gc',
        body: order,
        repeat: 'never',
        timeoutMs: collectMs,
      } as const;
      return (await readJson(target, call)) as CollectionReport;
    },
    checkRegistry: (order) => readCheck(target, order),
  };
}
