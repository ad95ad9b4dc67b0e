import type { Readable } from 'node:stream';
import { FailureError, type FailureReason } from '../../domain/failure.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Context } from '../../source/ports.ts';

/** A context that is being sent. */
export interface OpenContext {
  readonly stream: Readable;
  /** True once all of it was read. */
  isRead(): boolean;
  /** Why it broke, once it has. */
  fault(): unknown;
}

/** Faults that are not the context's own: they end the run in Error, not in Failed. */
const ourFaults: readonly FailureReason[] = [
  'internal',
  'storage-unavailable',
  'redis-unavailable',
  'engine-unavailable',
];

/** The outcome of a build whose context could not be had. Rethrows what is no fault of the context. */
export function describeContextFault(error: unknown): Outcome & { readonly kind: 'failed' } {
  if (error instanceof FailureError && !ourFaults.includes(error.failure.reason)) {
    return { kind: 'failed', message: error.failure.message };
  }
  throw error;
}

/** Opens a context; `onFault` is called once when its stream breaks, also when it closes before its end without an error. */
export async function openContext(context: Context, onFault: () => void): Promise<OpenContext> {
  const stream = await context.open();
  let fault: unknown;
  const note = (error: unknown): void => {
    fault ??= error;
    onFault();
  };
  let isRead = false;
  stream.on('error', note);
  stream.once('end', () => (isRead = true));
  stream.once('close', () => {
    if (!isRead && fault === undefined) note(new Error('the context was closed before it was read'));
  });
  return { stream, isRead: () => isRead, fault: () => fault };
}
