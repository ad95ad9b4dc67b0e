import { randomUUID } from 'node:crypto';
import type { ApiClient, BuildBody, RunView } from './api-types.ts';
import type { Cli } from './cli.ts';
import type { BuildContext } from './context.ts';
import { uploadContext } from './upload.ts';

/** Everything of a build's request but where it reads from. */
export type BuildWish = Omit<BuildBody, 'sourceLocation' | 'dockerFilePath'>;

/** Sends the context where there is one to send, and schedules the run. After that, the signal has no say: the run is there. */
export async function submitBuild(
  cli: Cli,
  client: ApiClient,
  build: { readonly wish: BuildWish; readonly context: BuildContext },
  signal: AbortSignal,
): Promise<RunView> {
  const { wish, context } = build;
  const { dockerFilePath } = context;
  const sourceLocation =
    context.kind === 'remote' ? context.location : await uploadContext(cli, client, context, signal);
  signal.throwIfAborted();
  return client.scheduleRun({ ...wish, sourceLocation, dockerFilePath }, randomUUID());
}
