import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { RunView } from '../api-types.ts';
import type { Cli, Start } from '../cli.ts';
import { isLoopback } from '../client-config.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addRunOptions, addValueOptions, collect, type RunOptionFlags } from '../options.ts';
import { parseMaxParallel, readSecretFiles, runHere } from '../run-here.ts';
import { noteRegistry, runToEnd } from '../run-to-end.ts';
import { submitRun, type RunWish } from '../submit-run.ts';
import { createTaskBody, readTaskRunFlags, type TaskRunFlags } from '../task-request.ts';
import { findTaskSource } from '../task-source.ts';

const examples = `
Examples:
  slipway run                                        the steps of acb.yaml in this folder
  slipway run -f ci/test.yaml --set version=1.2 --set-secret token=$TOKEN .
  slipway run -f acb.yaml https://github.com/owner/app.git#main
  slipway run -f - /dev/null < task.yaml             a task that needs no files
  slipway run --cmd 'busybox echo hello' /dev/null   one command in a container
  slipway run --local --registry localhost:5000      without a server, on this machine's container engine

CONTEXT is a folder (its .dockerignore is honoured), an archive file, a git URL with #ref:folder, the URL of a tar archive, - for an
archive on stdin, or /dev/null. Its files are the workspace of the steps. The task file lies in it or is sent along.
"slipway lint" and "slipway plan" look at a task file without running it. Ctrl-C stops following, and the run goes on;
with --local it cancels the run.`;

interface RunFlags extends TaskRunFlags, RunOptionFlags {
  readonly file?: string;
  readonly cmd?: string;
  readonly local?: true;
  readonly maxParallel?: string;
  readonly secretFile?: readonly string[];
}

/** Flags that make sense with a server alone, or without one alone. */
function checkPlace({ local, wait, maxParallel, secretFile }: RunFlags): void {
  if (local === true && !wait) {
    const message = '--no-wait needs a server: a run with --local lasts as long as this command';
    throw fail('invalid-request', message, { field: '--no-wait' });
  }
  if (local !== true && maxParallel !== undefined) {
    const hint = 'On a server, SLIPWAY_MAX_PARALLEL of the worker says it.';
    throw fail('invalid-request', '--max-parallel goes with --local', { field: '--max-parallel', hint });
  }
  if (local !== true && secretFile !== undefined) {
    const hint = 'On a server, secrets are kept: slipway secret set NAME --value-file PATH';
    throw fail('invalid-request', '--secret-file goes with --local', { field: '--secret-file', hint });
  }
}

async function runLocally(cli: Cli, word: string, flags: RunFlags): Promise<ExitCode> {
  const wish = readTaskRunFlags(flags);
  const { file, values, cmd, registry, logs } = flags;
  const maxParallel = flags.maxParallel === undefined ? undefined : parseMaxParallel(flags.maxParallel);
  const secrets = await readSecretFiles(cli.io, flags.secretFile ?? []);
  const timeoutSeconds = wish.timeout;
  const source = await findTaskSource(cli.io, word, { file, values, cmd, timeoutSeconds, compress: false });
  const { context } = source;
  const location = context?.kind === 'remote' ? context.location : context && 'a context of this machine';
  const description = word === '-' ? 'the archive on stdin' : resolve(cli.io.cwd, word);
  const body = createTaskBody(wish, source, location);
  return runHere(cli, { body, context, description, registry, logs, secrets, maxParallel });
}

async function run(cli: Cli, word: string, flags: RunFlags): Promise<ExitCode> {
  checkPlace(flags);
  if (flags.local === true) return runLocally(cli, word, flags);
  const wish = readTaskRunFlags(flags);
  const { file, values, cmd, registry, wait, logs } = flags;
  const compress = !isLoopback(cli.server());
  const source = await findTaskSource(cli.io, word, { file, values, cmd, timeoutSeconds: wish.timeout, compress });
  const client = await cli.client();
  if (registry !== undefined) await noteRegistry(cli, client, registry);
  const body = (location?: string): ReturnType<typeof createTaskBody> => createTaskBody(wish, source, location);
  const whole: RunWish = { context: source.context, body };
  const submit = (signal: AbortSignal): Promise<RunView> => submitRun(cli, client, whole, signal);
  return runToEnd(cli, client, { submit, wait, logs, showSteps: true });
}

/** Adds `slipway run`. */
export function addRun(program: Command, start: Start): void {
  const command = program
    .command('run')
    .summary('run the build, push and cmd steps of a task file')
    .description(
      'Runs a task file on a Slipway worker, or with --local on this machine, showing what its steps print while they go on.',
    )
    .argument('[context]', 'the files that the steps work on', '.')
    .option('-f, --file <path>', 'the task file (acb.yaml when not given), relative to the context; - is stdin')
    .option('--cmd <command>', 'run one command instead: an image and its arguments');
  addValueOptions(command, 'kept sealed and masked in all logs');
  addRunOptions(command)
    .option('--local', 'run here, on the container engine at hand, without a server')
    .option('--secret-file <name=path>', 'with --local: a secret that the task asks for; may be repeated', collect)
    .option('--max-parallel <number>', 'with --local: steps at the same time; any number when not given')
    .option('-r, --registry <host>', 'with --local: the host behind {{.Run.Registry}}; with a server it is ignored')
    .addHelpText('after', examples)
    .action((context: string, flags: RunFlags, called: Command) => start(called, (cli) => run(cli, context, flags)));
}
