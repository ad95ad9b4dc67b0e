import type { Timer } from './policy/timeout.ts';

/** Resolves when `ms` milliseconds have passed, or at once when `signal` aborts. Never rejects; leaves neither alarm nor listener behind. */
export async function delay(ms: number, timer: Timer, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = timer(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
