import type { CheckMessage, CheckOrder } from '../../domain/registry-upkeep.ts';
import { checkContents } from './contents.ts';
import { checkRecords } from './records.ts';
import { beginCheck, type CheckedRooms } from './rooms.ts';
import { checkStore } from './store.ts';
import { checkStoredState } from './stored-state.ts';

/**
 * Checks everything that the registry holds, while it is used: snapshot and journal, every content, every record, and what lies in the
 * store beside that. Tells what it finds as it finds it; the last message is the summary, left out when `signal` aborts.
 */
export async function* checkRegistry(
  rooms: CheckedRooms,
  order: CheckOrder,
  signal: AbortSignal,
): AsyncGenerator<CheckMessage> {
  const run = beginCheck(rooms, order, signal);
  const started = performance.now();
  try {
    await run.state.ledger.refresh();
    await run.state.manifestBytes.placeAll();
    if (order.repository === undefined) yield* checkStoredState(run);
    const contents = yield* checkContents(run);
    const records = yield* checkRecords(run);
    if (order.repository === undefined) yield* checkStore(run);
    const seconds = Math.round(performance.now() - started) / 1000;
    yield { is: 'summary', ...records, contents, read: run.pace.bytes, ...run.tally, seconds };
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
