import type { Outcome } from '../../domain/outcome.ts';
import { textField } from './json-lines.ts';

/** The outcome of a step whose signal has aborted; its words come from the signal's reason. */
export function canceledBy(signal: AbortSignal): Outcome & { readonly kind: 'canceled' } {
  const reason: unknown = signal.reason;
  const kind = textField(reason, 'kind')?.replaceAll('-', ' ') ?? 'stopped';
  const by = textField(reason, 'by') ?? textField(reason, 'step');
  return { kind: 'canceled', reason: by === undefined ? kind : `${kind} by ${by}` };
}

/** Resolves after `ms`, or at once when the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}

/** Whether a signal has aborted by now; asked anew each time, which a check of the property in a condition before is not. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Whether what was stopped belongs to another attempt at the run by now, which goes on with it. */
export function isSuperseded(signal: AbortSignal): boolean {
  return signal.aborted && textField(signal.reason, 'kind') === 'superseded';
}
