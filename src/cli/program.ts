import { Command } from 'commander';
import { addBaseImage } from './commands/base-image.ts';
import { addBuild } from './commands/build.ts';
import { addCampaign } from './commands/campaign.ts';
import { addCert } from './commands/cert.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addKey } from './commands/key.ts';
import { addLint } from './commands/lint.ts';
import { addLogin } from './commands/login.ts';
import { addNotification } from './commands/notification.ts';
import { addPlan } from './commands/plan.ts';
import { addQuickstart } from './commands/quickstart.ts';
import { addRegistry } from './commands/registry.ts';
import { addRepository } from './commands/repository.ts';
import { addRun } from './commands/run.ts';
import { addRuns } from './commands/runs.ts';
import { addScopeMap } from './commands/scope-map.ts';
import { addSecret } from './commands/secret.ts';
import { addTask } from './commands/task.ts';
import { addToken } from './commands/token.ts';
import { addUp } from './commands/up.ts';
import { addWebhook } from './commands/webhook.ts';
import type { Start } from './cli.ts';
import { columnsOf, type CliIo } from './io.ts';
import type { Product } from './product.ts';

const about = `Builds container images on your own machines and keeps them in a registry in the box.

A build sends a folder (or names a git repository) to the server, runs on a worker with BuildKit, shows its log live, and \
pushes the image into the registry that comes along.`;

const more = `
First steps:
  slipway quickstart            everything once: start, build an example, run it
  slipway up --detach           start API, registry and workers on this machine
  slipway build -t app:v1 .     build this folder and push it
  slipway run                   run the steps of this folder's acb.yaml
  slipway runs list             what was built and run
  slipway task create --help    builds that run by themselves: on pushes, at times
  slipway base-image list       what stands on which base; slipway campaign list: what a new base has rebuilt
  slipway lint acb.yaml         check a task file; slipway plan acb.yaml shows what it does
  slipway down                  stop

Environment:
  SLIPWAY_SERVER, SLIPWAY_USERNAME, SLIPWAY_PASSWORD    the server to speak to, when it is not the one on this machine
  SLIPWAY_DATA, SLIPWAY_PORT, REDIS_URL, DOCKER_HOST …  the installation on this machine: slipway doctor shows all of it

Exit codes:
  0 done   1 the run failed, or the command did   2 wrong usage   3 no such thing   4 the server could not be reached`;

/** Makes the table of commands. Parsing rejects with commander's own errors; nothing ends the process. */
export function createProgram(io: CliIo, product: Product, start: Start): Command {
  const program = new Command('slipway')
    .description(about)
    .version(product.version, '-V, --version', 'print the version')
    .option('--server <url>', 'the server to speak to (SLIPWAY_SERVER); the one on this machine when not given')
    .option('--json', 'print the result as JSON, and nothing else, on stdout')
    .option('--no-color', 'no colours, also on a terminal')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', more)
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      // Errors are written in one place, whoever finds them.
      outputError: () => undefined,
      getOutHelpWidth: () => columnsOf(io.stdout, 120),
      getErrHelpWidth: () => columnsOf(io.stderr, 120),
    });
  const commands = [
    addQuickstart,
    addUp,
    addDown,
    addDoctor,
    addBuild,
    addRun,
    addPlan,
    addLint,
    addRuns,
    addTask,
    addBaseImage,
    addCampaign,
    addWebhook,
    addRepository,
    addRegistry,
    addToken,
    addScopeMap,
    addSecret,
    addKey,
    addCert,
    addNotification,
    addLogin,
  ];
  for (const add of commands) add(program, start);
  return program;
}
