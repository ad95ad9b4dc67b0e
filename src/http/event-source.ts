import type { SequencedEvent } from '../domain/event.ts';
import { isFinal, type Run } from '../domain/run.ts';
import type { AppOptions } from './options.ts';

type Options = Pick<AppOptions, 'archive' | 'store'>;

const pageEvents = 1000;

/**
 * The events of a run with `seq` greater than `after` as far as there are any now, in order: from the live log while it is there, from
 * the archive afterwards, also when the live log goes away half-way.
 */
export async function* readEvents(options: Options, run: Run, after: number): AsyncGenerator<SequencedEvent> {
  let last = after;
  let hasEnded = false;
  for (;;) {
    const page = await options.store.events.read(run.runId, last, pageEvents);
    if (page.length === 0) break;
    yield* page;
    last = page.at(-1)?.seq ?? last;
    hasEnded = page.at(-1)?.kind === 'run-ended';
  }
  if (hasEnded || !isFinal(run.status)) return;
  const archived = (await options.archive.read(run.runId)) ?? [];
  yield* archived.filter(({ seq }) => seq > last);
}

/** The same, and then each event as it comes, until the run has ended or `signal` aborts. */
export async function* followEvents(
  options: Options,
  run: Run,
  from: { readonly after: number; readonly signal: AbortSignal },
): AsyncGenerator<SequencedEvent> {
  if (isFinal(run.status)) yield* readEvents(options, run, from.after);
  else yield* options.store.events.follow(run.runId, from.after, from.signal);
}
