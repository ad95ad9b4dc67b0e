import type { Command } from 'commander';
import type { RunView } from '../api-types.ts';
import { isLoopback } from '../client-config.ts';
import { readBuildFlags, type BuildFlags } from '../build-request.ts';
import type { Cli, Start } from '../cli.ts';
import { findContext } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { submitBuild } from '../quick-build.ts';
import { addRunOptions, collect } from '../options.ts';
import { noteRegistry, runToEnd } from '../run-to-end.ts';

const examples = `
Examples:
  slipway build -t app:v1 .                        build this folder, push it as app:v1 to the registry in the box
  slipway build -t app:{{.Run.ID}} -f deploy/Dockerfile --build-arg VERSION=1.2 src
  slipway build -t app https://github.com/owner/app.git#main:server
  git archive HEAD | slipway build -t app -        a tar archive on stdin
  slipway build --no-wait -t app . && slipway runs list

CONTEXT is a folder (its .dockerignore is honoured), an archive file, a git URL with #ref:folder, the URL of a tar archive, or -.
Without -t the image is built and not pushed. Ctrl-C stops following; the run goes on.`;

async function build(cli: Cli, word: string, flags: BuildFlags): Promise<ExitCode> {
  const wish = readBuildFlags(flags, cli.io.env);
  const context = await findContext(cli.io, word, { file: flags.file, compress: !isLoopback(cli.server()) });
  const client = await cli.client();
  if (flags.registry !== undefined) await noteRegistry(cli, client, flags.registry);
  const submit = (signal: AbortSignal): Promise<RunView> => submitBuild(cli, client, { wish, context }, signal);
  return runToEnd(cli, client, { submit, wait: flags.wait, logs: flags.logs });
}

/** Adds `slipway build`. */
export function addBuild(program: Command, start: Start): void {
  const command = program
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
    .option('--no-push', 'build, and push nothing')
    .option('--no-cache', 'build every step anew');
  addRunOptions(command)
    .option('-r, --registry <name>', 'taken for scripts that were written for Azure; there is one registry here')
    .addHelpText('after', examples)
    .action((context: string, flags: BuildFlags, called: Command) =>
      start(called, (cli) => build(cli, context, flags)),
    );
}
