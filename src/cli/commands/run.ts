import type { Command } from 'commander';
import type { RunView } from '../api-types.ts';
import type { Cli, Start } from '../cli.ts';
import { isLoopback } from '../client-config.ts';
import type { ExitCode } from '../exit-codes.ts';
import { collect, noteRegistry, runToEnd } from '../run-to-end.ts';
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

CONTEXT is a folder (its .dockerignore is honoured), an archive file, a git URL with #ref:folder, the URL of a tar archive, - for an
archive on stdin, or /dev/null. Its files are the workspace of the steps. The task file lies in it or is sent along.
"slipway lint" and "slipway plan" look at a task file without running it. Ctrl-C stops following; the run goes on.`;

interface RunFlags extends TaskRunFlags {
  readonly file?: string;
  readonly values?: string;
  readonly cmd?: string;
  readonly registry?: string;
  readonly logs: boolean;
  readonly wait: boolean;
}

async function run(cli: Cli, word: string, flags: RunFlags): Promise<ExitCode> {
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
  program
    .command('run')
    .summary('run the build, push and cmd steps of a task file')
    .description('Runs a task file on a Slipway worker, showing what its steps print while they go on.')
    .argument('[context]', 'the files that the steps work on', '.')
    .option('-f, --file <path>', 'the task file (acb.yaml when not given), relative to the context; - is stdin')
    .option('--cmd <command>', 'run one command instead: an image and its arguments')
    .option('--set <name=value>', 'a value for {{.Values.name}}; may be repeated', collect)
    .option('--set-secret <name=value>', 'a value that is kept sealed and masked in all logs', collect)
    .option('--values <path>', 'a YAML file with values, relative to the context; --set wins over it')
    .option('--platform <os/arch>', 'what to run on, for example linux/arm64')
    .option('--no-logs', 'wait for the end without showing the log')
    .option('--no-wait', 'print the run’s id and end')
    .option('--timeout <seconds>', 'stop the run after so many seconds (300 to 28800; 3600 when not given)')
    .option('--auth-mode <mode>', 'None: the run may not use the registry in the box; Default: it may')
    .option('-r, --registry <name>', 'taken for scripts that were written for Azure; there is one registry here')
    .addHelpText('after', examples)
    .action((context: string, flags: RunFlags, command: Command) => start(command, (cli) => run(cli, context, flags)));
}
