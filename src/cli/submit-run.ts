import { randomUUID } from 'node:crypto';
import type { ApiClient, RunBody, RunView } from './api-types.ts';
import type { Cli } from './cli.ts';
import type { Context } from './context.ts';
import { uploadContext } from './upload.ts';

/** A run to be scheduled, and what it reads. */
export type RunWish =
  | { readonly context: Context; readonly body: (sourceLocation: string) => RunBody }
  | { readonly context: undefined; readonly body: () => RunBody };

async function makeBody(cli: Cli, client: ApiClient, wish: RunWish, signal: AbortSignal): Promise<RunBody> {
  if (wish.context === undefined) return wish.body();
  const { context } = wish;
  return wish.body(context.kind === 'remote' ? context.location : await uploadContext(cli, client, context, signal));
}

/** Sends the context where there is one to send, and schedules the run. After that, the signal has no say: the run is there. */
export async function submitRun(cli: Cli, client: ApiClient, wish: RunWish, signal: AbortSignal): Promise<RunView> {
  const body = await makeBody(cli, client, wish, signal);
  signal.throwIfAborted();
  return client.scheduleRun(body, randomUUID());
}
