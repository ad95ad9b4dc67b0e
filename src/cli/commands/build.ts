import type { Command } from 'commander';
import type { ApiClient, RunView } from '../api-types.ts';
import { isLoopback } from '../client-config.ts';
import { readBuildFlags, type BuildFlags } from '../build-request.ts';
import type { Cli, Start } from '../cli.ts';
import { findContext } from '../context.ts';
import { exitCodeOfRun, type ExitCode } from '../exit-codes.ts';
import { interruptedCode, withInterrupt } from '../io.ts';
import { submitBuild } from '../quick-build.ts';
import { followLog, sayThatItGoesOn } from '../run-log.ts';
import { listImages, paintStatus, runResult } from '../run-view.ts';

const examples = `
Examples:
  slipway build -t app:v1 .                        build this folder, push it as app:v1 to the registry in the box
  slipway build -t app:{{.Run.ID}} -f deploy/Dockerfile --build-arg VERSION=1.2 src
  slipway build -t app https://github.com/owner/app.git#main:server
  git archive HEAD | slipway build -t app -        a tar archive on stdin
  slipway build --no-wait -t app . && slipway runs list

CONTEXT is a folder (its .dockerignore is honoured), an archive file, a git URL with #ref:folder, the URL of a tar archive, or -.
Without -t the image is built and not pushed. Ctrl-C stops following; the run goes on.`;

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Azure's scripts name the registry; here there is one, so that another name deserves a word and no more. */
async function noteRegistry({ screen }: Cli, client: ApiClient, given: string): Promise<void> {
  const { name, loginServer } = await client.registry();
  if ([name, loginServer].some((one) => one.toLowerCase() === given.toLowerCase())) return;
  screen.note(`note: --registry ${given} is ignored; this server's registry is ${name} (${loginServer})`);
}

async function reportQueued({ screen }: Cli, run: RunView): Promise<ExitCode> {
  await screen.result(runResult(run));
  if (!screen.json) await screen.print(run.runId);
  return 0;
}

/** The end of a build: what was pushed, and when no log was shown, how it went. */
async function reportEnd({ screen }: Cli, run: RunView, isLogShown: boolean): Promise<ExitCode> {
  const { colors } = screen;
  if (!isLogShown) {
    const why = run.runErrorMessage === undefined ? '' : `: ${run.runErrorMessage}`;
    await screen.print(`Run ${run.runId} ${paintStatus(colors, run.status)}${why}`);
  }
  for (const image of listImages(run)) await screen.print(`${colors.bold('Image:')} ${image}`);
  await screen.result(runResult(run));
  return exitCodeOfRun(run.status);
}

async function build(cli: Cli, word: string, flags: BuildFlags): Promise<ExitCode> {
  const wish = readBuildFlags(flags, cli.io.env);
  const context = await findContext(cli.io, word, { file: flags.file, compress: !isLoopback(cli.server()) });
  const client = await cli.client();
  if (flags.registry !== undefined) await noteRegistry(cli, client, flags.registry);
  return withInterrupt(cli.io, async (signal) => {
    const submitted = await submitBuild(cli, client, { wish, context }, signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (submitted === undefined) {
      cli.screen.note('Stopped before anything was submitted.');
      return interruptedCode;
    }
    if (!flags.wait) return reportQueued(cli, submitted);
    const silent = flags.logs ? {} : { onEvent: () => Promise.resolve() };
    if (!flags.logs) cli.screen.note(`Queued a run with ID: ${submitted.runId}`);
    const run = await followLog(cli, client, submitted.runId, { signal, ...silent });
    if (run !== undefined) return reportEnd(cli, run, flags.logs);
    sayThatItGoesOn(cli, submitted.runId);
    return interruptedCode;
  });
}

/** Adds `slipway build`. */
export function addBuild(program: Command, start: Start): void {
  program
    .command('build')
    .summary('build an image from a folder, a git repository or an archive, and push it')
    .description(
      'Builds an image from a Dockerfile on a Slipway worker and pushes it, showing the log while it goes on.',
    )
    .argument('[context]', 'what the build reads', '.')
    .option('-t, --image <name>', 'name[:tag] of the image; may be repeated', collect)
    .option('-f, --file <path>', 'the Dockerfile, relative to the context')
    .option('--build-arg <name=value>', 'a build argument; NAME alone takes its value from the environment', collect)
    .option('--secret-build-arg <name=value>', 'a build argument that is masked in all logs', collect)
    .option('--target <stage>', 'the stage of the Dockerfile to stop at')
    .option('--platform <os/arch>', 'what to build for, for example linux/arm64')
    .option('--no-push', 'build, and push nothing')
    .option('--no-cache', 'build every step anew')
    .option('--no-logs', 'wait for the end without showing the log')
    .option('--no-wait', 'print the run’s id and end')
    .option('--timeout <seconds>', 'stop the run after so many seconds (300 to 28800; 3600 when not given)')
    .option('--auth-mode <mode>', 'None: the run may not use the registry in the box; Default: it may')
    .option('-r, --registry <name>', 'taken for scripts that were written for Azure; there is one registry here')
    .addHelpText('after', examples)
    .action((context: string, flags: BuildFlags, command: Command) =>
      start(command, (cli) => build(cli, context, flags)),
    );
}
