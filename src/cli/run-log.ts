import { createEventRenderer } from '../domain/event-text.ts';
import type { RunEvent, SequencedEvent } from '../domain/event.ts';
import type { RunId } from '../domain/run.ts';
import type { RunReader, RunView } from './api-types.ts';
import { cleanLine } from './clean-line.ts';
import type { Cli } from './cli.ts';
import { followRun } from './follow.ts';
import type { Screen } from './screen.ts';
import { createStepNames } from './step-names.ts';

export interface FollowLogOptions {
  readonly signal: AbortSignal;
  /** Called for each event instead of printing its line. */
  readonly onEvent?: (event: SequencedEvent) => Promise<void>;
  /** Puts the step in front of each line of its output, when the run has several. */
  readonly namesSteps?: boolean;
  /** Called for each event after its line was printed. */
  readonly onPrinted?: (event: SequencedEvent) => void;
}

type Tone = 'plain' | 'dim' | 'cyan' | 'green' | 'red';

const tones = {
  'run-queued': 'plain',
  'run-started': 'plain',
  'run-planned': 'plain',
  'step-started': 'cyan',
  'image-pushed': 'cyan',
  'dependencies-found': 'plain',
  'try-started': 'plain',
  'try-ended': 'plain',
  'step-ended': (event) => (event.outcome.kind === 'succeeded' ? 'cyan' : 'red'),
  'run-ended': (event) => (event.status === 'Succeeded' ? 'green' : 'red'),
  output: (event) => (event.stream === 'system' ? 'dim' : 'plain'),
} as const satisfies { [K in RunEvent['kind']]: Tone | ((event: RunEvent & { readonly kind: K }) => Tone) };

function toneOf(event: RunEvent): Tone {
  const tone: Tone | ((event: never) => Tone) = tones[event.kind];
  return typeof tone === 'string' ? tone : tone(event as never);
}

/** A line of the log in the colours of its event; only what a build prints itself keeps colours of its own. */
function paint({ colors, hasColors }: Screen, event: SequencedEvent, line: string): string {
  const text = cleanLine(line, hasColors && event.kind === 'output');
  const tone = toneOf(event);
  return tone === 'plain' ? text : colors[tone](text);
}

/** Prints each event of a run as its line. */
function createLogPrinter(
  screen: Screen,
  id: string,
  { namesSteps = false, onPrinted }: FollowLogOptions,
): (event: SequencedEvent) => Promise<void> {
  const render = createEventRenderer(id as RunId);
  const nameStep = namesSteps ? createStepNames(screen.colors) : (): string => '';
  return async (event) => {
    const name = nameStep(event);
    const line = render(event);
    if (line !== undefined) await screen.print(`${name}${paint(screen, event, line)}`);
    onPrinted?.(event);
  };
}

/** Says why a run still waits when it has done so for a while, and again when the reason changes. */
function watchWaiting(cli: Cli, client: RunReader, id: string): { stop(): void } {
  const patienceMs = cli.wiring.patienceMs ?? 3000;
  let said: string | undefined;
  let isOver = false;
  const look = async (): Promise<void> => {
    const run = await client.run(id);
    const reason = run.status === 'Queued' ? run.waiting?.reason : undefined;
    if (isOver || reason === undefined || reason === said) return;
    said = reason;
    cli.screen.note(`Waiting for a worker: ${cleanLine(reason, false)}`);
  };
  // The server that cannot be asked now is the follower's business.
  const timer = setInterval(() => void look().catch(() => undefined), patienceMs);
  return {
    stop: () => {
      isOver = true;
      clearInterval(timer);
    },
  };
}

/**
 * Follows a run to its end and prints its log, each line once.
 * @returns the run as it is afterwards: final, unless the signal aborted.
 */
export async function followLog(
  cli: Cli,
  client: RunReader,
  id: string,
  options: FollowLogOptions,
): Promise<RunView | undefined> {
  const { signal, onEvent = createLogPrinter(cli.screen, id, options) } = options;
  const [backoffMs] = cli.wiring.backoffMs ?? [];
  const onLost = (): void => cli.screen.note('The connection was lost; connecting again …');
  const waiting = watchWaiting(cli, client, id);
  try {
    for await (const event of followRun(client, id, {
      signal,
      onLost,
      ...(backoffMs !== undefined && { backoffMs }),
    })) {
      if (event.kind === 'run-started') waiting.stop();
      await onEvent(event);
    }
  } finally {
    waiting.stop();
  }
  return signal.aborted ? undefined : client.run(id);
}

/** What Ctrl-C leaves to be said: the run is not ours to stop, and these are the words that stop or show it. */
export function sayThatItGoesOn(cli: Cli, id: string): void {
  cli.screen.note('');
  cli.screen.note(`Stopped following; run ${id} goes on.`);
  cli.screen.note(`  follow it again:  slipway runs logs ${id} -f`);
  cli.screen.note(`  cancel it:        slipway runs cancel ${id}`);
}
