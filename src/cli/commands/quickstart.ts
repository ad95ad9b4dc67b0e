import { join } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { RunView } from '../api-types.ts';
import { changeBase, plantApplication, type BaseStory } from '../base-story.ts';
import type { Cli, Start } from '../cli.ts';
import { createClient } from '../client.ts';
import { findContext } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { interruptedCode, withInterrupt } from '../io.ts';
import type { Showcase } from '../local-host.ts';
import { submitBuild } from '../quick-build.ts';
import { followLog, sayThatItGoesOn } from '../run-log.ts';
import { listImages } from '../run-view.ts';
import { startInstallation, type Started } from '../start.ts';

const about = `Starts Slipway on this machine, builds a small web server, pushes it to the registry in the box, runs it from there, \
changes a base image and watches what stands on it being rebuilt, and says what to try next. It needs no public registry, and may be run as often as you like.`;

/** Seconds by phase. */
type Seconds = Record<string, number>;

interface Stage {
  readonly cli: Cli;
  readonly seconds: Seconds;
  /** Without the story of the base image. */
  readonly isBrief: boolean;
}

async function phase<T>({ cli, seconds }: Stage, title: string, work: () => Promise<T>): Promise<T> {
  const { screen } = cli;
  await screen.print(screen.colors.bold(`\n▸ ${title}`));
  const begin = performance.now();
  const result = await work();
  const taken = (performance.now() - begin) / 1000;
  seconds[title] = Math.round(taken * 10) / 10;
  await screen.print(screen.colors.dim(`  ${taken.toFixed(1)} s`));
  return result;
}

async function buildExample(stage: Stage, started: Started, base: string): Promise<RunView | undefined> {
  const { cli } = stage;
  const folder = join(cli.product.root, 'examples', 'hello-node');
  const context = await findContext(cli.io, folder, { compress: false });
  const client = createClient({ server: started.config.url, account: started.account });
  const wish = {
    type: 'DockerBuildRequest',
    imageNames: ['hello-node:1.0.0'],
    isPushEnabled: true,
    noCache: false,
    arguments: [{ name: 'BASE', value: base, isSecret: false }],
  } as const;
  return withInterrupt(cli.io, async (signal) => {
    const { runId } = await submitBuild(cli, client, { wish, context }, signal);
    const run = await followLog(cli, client, runId, { signal });
    if (run === undefined) sayThatItGoesOn(cli, runId);
    return run;
  });
}

function imageOf(run: RunView): { readonly reference: string; readonly pullable: string } {
  const [image] = run.outputImages ?? [];
  const [reference] = listImages(run);
  if (run.status !== 'Succeeded' || image === undefined || reference === undefined) {
    const hint = `slipway runs logs ${run.runId} shows its log; slipway doctor looks at the machine.`;
    throw fail('internal', `the build of the example ended as ${run.status}`, { hint });
  }
  return { reference, pullable: `${image.registry}/${image.repository}:${image.tag ?? 'latest'}` };
}

async function printEnd({ cli, seconds }: Stage, started: Started, reference: string): Promise<void> {
  const { colors, print } = cli.screen;
  const { config, account, foundation } = started;
  const total = Object.values(seconds).reduce((sum, one) => sum + one, 0);
  const packages = foundation.packageSeconds;
  const apart = packages > 0 ? `, of which ${packages.toFixed(1)} s installing packages` : '';
  const lines = [
    '',
    colors.bold(`Done in ${total.toFixed(1)} s${apart}.`),
    `  Image     ${reference}`,
    `  API       ${config.url}`,
    `  Registry  ${config.registryHost} (user ${account.username}; slipway login --show prints the password)`,
    '',
    colors.bold('Try next (npx slipway … in a clone):'),
    '  slipway build -t my-app:v1 path/to/your/app      build and push a folder of yours',
    '  slipway build -t app https://github.com/owner/repository.git#main',
    '  slipway runs list                                what was built',
    '  slipway base-image list                          what stands on what',
    '  slipway doctor                                   how the installation is',
    '',
    'Slipway goes on in the background. Stop it: slipway down (with --purge, all of it is removed).',
  ];
  for (const line of lines) await print(line);
}

/** An application is built on a base image, and rebuilt by itself when that changes. */
async function showBases(
  stage: Stage,
  { config, account }: Started,
  { showcase, node }: Pick<BaseStory, 'showcase' | 'node'>,
): ReturnType<typeof changeBase> {
  const { cli } = stage;
  const client = createClient({ server: config.url, account });
  const { registryHost } = config;
  return withInterrupt(cli.io, async (signal) => {
    const story = { cli, client, account, registryHost, showcase, node, signal };
    await phase(stage, 'An application on a base image', () => plantApplication(story));
    return phase(stage, 'Changing the base image', () => changeBase(story));
  });
}

async function show(stage: Stage, started: Started, showcase: Showcase): Promise<ExitCode> {
  const { cli, seconds } = stage;
  const { screen } = cli;
  const { account, config } = started;
  const base = await phase(stage, 'A base image', async () => {
    const found = await showcase.ensureBase(account, (line) => void screen.print(`  ${line}`));
    await screen.print(`  ${found.image} (${found.how})`);
    return found.image;
  });
  const run = await phase(stage, 'Building examples/hello-node', () => buildExample(stage, started, base));
  if (run === undefined) return interruptedCode;
  const { reference, pullable } = imageOf(run);
  const shown = await phase(stage, 'Running it from the registry', async () => {
    await screen.print(`  docker pull ${pullable}`);
    const found = await showcase.runFromRegistry(pullable, account);
    await screen.print(`  It answers: ${found.answer}`);
    return found;
  });
  const rebuilt = stage.isBrief ? undefined : await showBases(stage, started, { showcase, node: base });
  await printEnd(stage, started, reference);
  const { url, registryHost } = config;
  const packageSeconds = started.foundation.packageSeconds;
  await screen.result({
    url,
    registry: registryHost,
    runId: run.runId,
    image: reference,
    answer: shown.answer,
    ...(rebuilt && { rebuilt }),
    seconds,
    packageSeconds,
  });
  return 0;
}

async function quickstart(cli: Cli, isBrief: boolean): Promise<ExitCode> {
  const stage: Stage = { cli, seconds: {}, isBrief };
  const host = await cli.host();
  const started = await phase(stage, 'Starting Slipway', async () => {
    const up = await startInstallation(cli, host, (line) => void cli.screen.print(`  ${line}`));
    await cli.screen.print(
      `  ${up.isNew ? 'It is up' : 'It was up already'}: ${up.config.url}, engine ${up.foundation.engineVersion}`,
    );
    return up;
  });
  const showcase = host.openShowcase(started.config, started.foundation);
  try {
    return await show(stage, started, showcase);
  } finally {
    showcase.close();
  }
}

/** Adds `slipway quickstart`. */
export function addQuickstart(program: Command, start: Start): void {
  program
    .command('quickstart')
    .summary('start everything, build an example, run it')
    .description(about)
    .option('--brief', 'leave out the base image')
    .action(({ brief = false }: { readonly brief?: boolean }, command: Command) =>
      start(command, (cli) => quickstart(cli, brief)),
    );
}
