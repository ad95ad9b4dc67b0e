import { formatElapsed } from '../domain/event-text.ts';
import type { SequencedEvent } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import { cleanLine } from './clean-line.ts';
import type { Colors } from './screen.ts';
import { formatTable } from './words.ts';

/** Times in milliseconds: the start by the clock of this machine, what it took by the server's. */
interface StepState {
  readonly id: string;
  readonly seenAt?: number;
  readonly startedAt?: number;
  readonly tookMs?: number;
  readonly outcome?: Outcome;
}

type Mark = 'running' | 'failed' | 'canceled' | 'waiting' | 'done' | 'skipped';
/** Which steps are shown when there is no room for all. */
const order: readonly Mark[] = ['running', 'failed', 'canceled', 'waiting', 'done', 'skipped'];
const looks = {
  running: ['●', 'cyan'],
  failed: ['✗', 'red'],
  canceled: ['-', 'yellow'],
  waiting: ['○', 'dim'],
  done: ['✓', 'green'],
  skipped: ['-', 'dim'],
} as const satisfies Record<Mark, readonly [sign: string, tone: keyof Colors]>;

/** How the steps of a run stand. */
export interface StepBoard {
  readonly size: number;
  readonly isRunning: boolean;
  /** Takes the run's events in order; `now` is the time of this machine. True when something has changed on the board. */
  apply(event: SequencedEvent, now: number): boolean;
  /** A line with the numbers and at most `room` lines of steps, in the order of the task. */
  draw(now: number, room: number, colors: Colors): readonly string[];
}

function markOf({ outcome, seenAt }: StepState): Mark {
  if (outcome === undefined) return seenAt === undefined ? 'waiting' : 'running';
  if (outcome.kind === 'succeeded') return 'done';
  return outcome.kind === 'skipped' || outcome.kind === 'canceled' ? outcome.kind : 'failed';
}

function describe(step: StepState, now: number): string {
  const mark = markOf(step);
  if (mark === 'running') return formatElapsed(Math.floor((now - (step.seenAt ?? now)) / 1000) * 1000);
  const took = step.tookMs === undefined ? '' : ` ${formatElapsed(step.tookMs)}`;
  const { outcome } = step;
  if (mark !== 'failed' || outcome === undefined) return `${mark}${took}`;
  const hasCode = outcome.kind === 'failed' && outcome.exitCode !== undefined;
  return `${outcome.kind}${hasCode ? ` (exit code ${outcome.exitCode})` : ''}${took}`;
}

/** The steps that there is room for, those that matter most first, again in their own order. */
function choose(steps: readonly StepState[], room: number): readonly StepState[] {
  const ranked = [...steps].sort((a, b) => order.indexOf(markOf(a)) - order.indexOf(markOf(b)));
  const chosen = new Set(ranked.slice(0, room));
  return steps.filter((step) => chosen.has(step));
}

function count(steps: readonly StepState[]): string {
  const marks = steps.map(markOf);
  const counts = ['done', 'failed', 'canceled', 'running', 'waiting', 'skipped'].flatMap((mark) => {
    const number = marks.filter((one) => one === mark).length;
    return number === 0 ? [] : [`${number} ${mark}`];
  });
  return `Steps: ${counts.join(', ')}`;
}

function applyTo(step: StepState, event: SequencedEvent, now: number): StepState {
  const at = Date.parse(event.at);
  if (event.kind === 'step-started') return { id: step.id, seenAt: now, startedAt: at };
  if (event.kind !== 'step-ended') return step;
  const { startedAt } = step;
  return { ...step, outcome: event.outcome, ...(startedAt !== undefined && { tookMs: at - startedAt }) };
}

/** Makes an empty board; it has steps as soon as the run is planned. */
export function createStepBoard(): StepBoard {
  let steps: readonly StepState[] = [];
  return {
    get size() {
      return steps.length;
    },
    get isRunning() {
      return steps.some((step) => markOf(step) === 'running');
    },
    apply: (event, now) => {
      if (event.kind === 'run-planned') {
        const known = new Map(steps.map((step) => [step.id, step]));
        steps = event.steps.map(({ id }) => known.get(id) ?? { id });
      } else if (event.kind === 'step-started' || event.kind === 'step-ended') {
        steps = steps.map((step) => (step.id === event.step ? applyTo(step, event, now) : step));
      } else return false;
      return true;
    },
    draw: (now, room, colors) => {
      const shown = choose(steps, room);
      const rows = formatTable(
        shown.map((step) => [`  ${looks[markOf(step)][0]}`, cleanLine(step.id, false), describe(step, now)]),
      );
      const painted = rows.map((row, at) => colors[looks[markOf(shown[at] ?? { id: '' })][1]](row));
      return [colors.bold(count(steps)), ...painted];
    },
  };
}
