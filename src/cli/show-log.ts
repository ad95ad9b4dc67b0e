import { isFinal } from '../domain/run.ts';
import { cleanLine } from './clean-line.ts';
import type { Cli } from './cli.ts';
import { exitCodeOfRun, type ExitCode } from './exit-codes.ts';
import { interruptedCode, withInterrupt } from './io.ts';
import { followLog, sayThatItGoesOn } from './run-log.ts';

/** The lines of a text that comes in pieces. */
async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** Prints a run's log as it is now. */
export async function printLog({ screen, client }: Cli, id: string): Promise<ExitCode> {
  const kept: string[] = [];
  for await (const line of splitLines(await (await client()).log(id))) {
    const text = cleanLine(line, screen.hasColors);
    if (screen.json) kept.push(text);
    else await screen.print(text);
  }
  await screen.result({ runId: id, log: kept });
  return 0;
}

/** Prints a run's log until it ends, whose success is the exit code. */
export async function followToEnd(cli: Cli, id: string): Promise<ExitCode> {
  const client = await cli.client();
  const { status } = await client.run(id);
  // With --json each event is a line of its own: a stream has no single result.
  const onEvent = async (event: object): Promise<void> => void cli.io.stdout.write(`${JSON.stringify(event)}\n`);
  return withInterrupt(cli.io, async (signal) => {
    const run = await followLog(cli, client, id, { signal, ...(cli.screen.json && { onEvent }) });
    if (run !== undefined) return exitCodeOfRun(run.status);
    if (!isFinal(status)) sayThatItGoesOn(cli, id);
    return interruptedCode;
  });
}
