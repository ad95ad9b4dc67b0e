import type { ApiClient, BuildBody, RunView } from './api-types.ts';
import type { Cli } from './cli.ts';
import type { BuildContext } from './context.ts';
import { submitRun } from './submit-run.ts';

/** Everything of a build's request but where it reads from. */
export type BuildWish = Omit<BuildBody, 'sourceLocation' | 'dockerFilePath'>;

/** Sends the context where there is one to send, and schedules the build. */
export async function submitBuild(
  cli: Cli,
  client: ApiClient,
  build: { readonly wish: BuildWish; readonly context: BuildContext },
  signal: AbortSignal,
): Promise<RunView> {
  const { wish, context } = build;
  const { dockerFilePath } = context;
  const body = (sourceLocation: string): BuildBody => ({ ...wish, sourceLocation, dockerFilePath });
  return submitRun(cli, client, { context, body }, signal);
}
