import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { readTrustOf } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import { fail } from '../domain/failure.ts';
import { trustInstallation } from '../tls/trust.ts';
import { createCli, type GlobalOptions, type Wiring } from './cli.ts';
import { exitCodeOf, type ExitCode } from './exit-codes.ts';
import type { CliIo } from './io.ts';
import { findProduct } from './product.ts';
import { createProgram } from './program.ts';
import { describeError, reportFailure } from './screen.ts';

/** A fault of usage, in our own words: commander's message with its suggestion as the hint. */
function toUsageFailure(error: CommanderError): Error {
  const [message = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = more.join(' ').replace(/^\(|\)$/g, '');
  return fail('invalid-request', message, {
    hint: suggestion || 'slipway --help lists the commands; each has a --help of its own.',
  });
}

function exitCodeOfParser(error: CommanderError): ExitCode | undefined {
  if (error.exitCode === 0) return 0;
  // Asked for with a command that needs another word: the help is the answer, and has been written.
  return error.code === 'commander.help' ? 2 : undefined;
}

function report(io: CliIo, error: unknown, argv: readonly string[]): ExitCode {
  const options = { json: argv.includes('--json'), color: !argv.includes('--no-color') };
  const failure = describeError(error);
  reportFailure(io, failure, options);
  return exitCodeOf(failure.reason);
}

/**
 * Runs one command line (without the words `node slipway`) and resolves with its exit code: 0 done, 1 the run failed, 2 usage, 3 not
 * found, 4 the server could not be reached. Never rejects, and touches nothing but what it is handed.
 */
export async function main(argv: readonly string[], io: CliIo, wiring: Wiring = {}): Promise<ExitCode> {
  const product = findProduct();
  let code: ExitCode = 0;
  const program = createProgram(io, product, async (command, work) => {
    const { server, json = false, color } = command.optsWithGlobals<Partial<GlobalOptions> & { color: boolean }>();
    trustInstallation(readTrustOf(io.env));
    code = await work(createCli(io, product, { server, json, color }, wiring));
  });
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(io, error, argv);
    return exitCodeOfParser(error) ?? report(io, toUsageFailure(error), argv);
  }
}

/** A second Ctrl-C ends the process whatever it does. */
function onInterrupt(listener: () => void): () => void {
  let isFirst = true;
  const handle = (): void => {
    if (!isFirst) process.exit(130);
    isFirst = false;
    listener();
  };
  process.on('SIGINT', handle).on('SIGTERM', handle);
  return () => void process.off('SIGINT', handle).off('SIGTERM', handle);
}

async function runProcess(): Promise<void> {
  const { stdin, stdout, stderr } = process;
  // A reader that has seen enough (`slipway runs list | head -1`) ends us, and is no error.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  // Handed on whole to the processes that are started here; read nowhere else.
  // eslint-disable-next-line no-restricted-properties
  const { env } = process;
  const io = { stdin, stdout, stderr, env, cwd: process.cwd(), clock: systemClock, onInterrupt };
  process.exitCode = await main(process.argv.slice(2), io);
}

function isEntry(): boolean {
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isEntry()) await runProcess();
