import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, FailureError } from '../domain/failure.ts';
import { folderRepositoryOf } from '../domain/task-folder.ts';
import type { Account } from '../secret/account.ts';
import type { ApiClient, RunView } from './api-types.ts';
import type { Cli } from './cli.ts';
import { findContext } from './context.ts';
import type { Showcase } from './local-host.ts';
import { pushFolder } from './push-folder.ts';
import { submitBuild } from './quick-build.ts';
import { waitForLearning } from './task-learning.ts';
import type { TaskBody } from './task-types.ts';

/** What the story of a changed base image is told with. */
export interface BaseStory {
  readonly cli: Cli;
  readonly client: ApiClient;
  readonly account: Account;
  readonly registryHost: string;
  readonly showcase: Showcase;
  /** An image that has Node.js. */
  readonly node: string;
  readonly signal: AbortSignal;
}

const task = 'greeting';
const base = 'baseimages/node:20';
const image = 'greeting:v1';
const mostMs = 60_000;
const pollMs = 50;
const isUnderWay = ({ status }: RunView): boolean => ['Queued', 'Started', 'Running'].includes(status);

function example({ cli }: BaseStory, part: 'app' | 'base'): string {
  return join(cli.product.root, 'examples', 'base-image-update', part);
}

/** Asks until there is something. Rejects with `timed-out` after a minute. */
async function until<T>(what: string, signal: AbortSignal, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + mostMs;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(pollMs, undefined, { signal });
  }
  throw fail('timed-out', `${what} did not happen within ${String(mostMs / 1000)} s`, {
    hint: 'slipway campaign list, slipway runs list',
  });
}

function assertSucceeded(run: RunView): RunView {
  if (run.status === 'Succeeded') return run;
  throw fail('internal', `run ${run.runId} ended as ${run.status}`, { hint: `slipway runs logs ${run.runId}` });
}

async function finish({ client, signal }: BaseStory, { runId }: RunView): Promise<RunView> {
  const ended = async (): Promise<RunView | undefined> => {
    const run = await client.run(runId);
    return isUnderWay(run) ? undefined : run;
  };
  return assertSucceeded(await until(`the end of run ${runId}`, signal, ended));
}

/** Builds and pushes a version of the base. */
async function buildBase(story: BaseStory, version: string): Promise<void> {
  const { cli, client, node, signal } = story;
  await cli.screen.print(`  slipway build -t ${base} --build-arg VERSION=${version} examples/base-image-update/base`);
  const context = await findContext(cli.io, example(story, 'base'), { compress: false });
  const args = Object.entries({ NODE: node, VERSION: version });
  const wish = {
    ...({ type: 'DockerBuildRequest', imageNames: [base], isPushEnabled: true, noCache: false } as const),
    arguments: args.map(([name, value]) => ({ name, value, isSecret: false })),
  };
  await finish(story, await submitBuild(cli, client, { wish, context }, signal));
}

/** The task that builds the application, out of a folder of this machine that is kept in the registry. */
function taskBody(registryHost: string, contextPath: string): TaskBody {
  const step = {
    type: 'Docker',
    ...{ contextPath, dockerFilePath: 'Dockerfile', imageNames: [image], isPushEnabled: true, noCache: false },
    arguments: [{ name: 'REGISTRY', value: registryHost, isSecret: false }],
  } as const;
  const baseImageTrigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled' } as const;
  return { properties: { step, trigger: { baseImageTrigger } } };
}

async function makeTask(story: BaseStory): Promise<void> {
  const { cli, client, account, registryHost, signal } = story;
  await cli.screen.print(`  slipway task create ${task} --context examples/base-image-update/app -t ${image} …`);
  const repository = folderRepositoryOf(task);
  const target = { server: client.server, account, repository, tag: 'latest' };
  await pushFolder(target, { root: example(story, 'app'), dockerfile: 'Dockerfile' }, signal);
  const made = await client.putTask(task, taskBody(registryHost, `oci://${registryHost}/${repository}:latest`));
  const learning = waitForLearning(cli, client, made);
  await cli.screen.print(`  slipway task run ${task}`);
  const run = await client.scheduleRun({ type: 'TaskRunRequest', taskId: task }, randomUUID());
  await Promise.all([finish(story, run), learning]);
}

async function hasTask({ client }: BaseStory): Promise<boolean> {
  try {
    await client.task(task);
    return true;
  } catch (error) {
    if (error instanceof FailureError && error.failure.reason === 'not-found') return false;
    throw error;
  }
}

async function greet({ cli, showcase, account, registryHost }: BaseStory): Promise<string> {
  const { answer } = await showcase.runFromRegistry(`${registryHost}/${image}`, account);
  await cli.screen.print(`  It answers: ${answer}`);
  return answer;
}

function runsOfTask({ client }: BaseStory): Promise<readonly RunView[]> {
  return client.runs({ top: 10, filter: `TaskName eq '${task}'` });
}

/** An application on a base of its own, built by a task; what was made before is taken as it is. Gives what the application answers. */
export async function plantApplication(story: BaseStory): Promise<string> {
  if (!(await hasTask(story))) {
    await buildBase(story, '1.0.0');
    await makeTask(story);
  }
  return greet(story);
}

/** Changes the base, and waits for the run that nobody starts. Gives what the application answers after it, and the run. */
export async function changeBase(story: BaseStory): Promise<{ readonly answer: string; readonly runId: string }> {
  const { cli, signal } = story;
  const before = new Set((await runsOfTask(story)).map(({ runId }) => runId));
  // Another version each time: the same base again would change nothing, and nothing would be rebuilt.
  await buildBase(story, `1.${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}`);
  const run = await until('a run for the changed base image', signal, async () =>
    (await runsOfTask(story)).find(({ runId, imageUpdateTrigger }) => imageUpdateTrigger && !before.has(runId)),
  );
  await cli.screen.print(`  Task ${task} stands on it: run ${run.runId} was started for the update.`);
  await finish(story, run);
  return { answer: await greet(story), runId: run.runId };
}
