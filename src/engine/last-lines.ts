import type { OutputStream } from '../domain/event.ts';
import type { StepId } from '../domain/step.ts';
import type { StepIo } from './ports.ts';
import type { RunResult } from './result.ts';

/** What is kept of a step's output for the message of its failure. */
export const lastLinesLimits = { lines: 10, bytes: 2048 } as const;

/** The ends of the steps' outputs. */
export interface LastLines {
  /**
   * The io of a try, whose lines are noted on their way; those of an earlier try of the step are forgotten. What Slipway itself says is not a
   * step's output.
   */
  watch(step: StepId, io: StepIo): StepIo;
  /** The last lines of a step's last try, both streams in the order of their arrival; at most 10, and 2 KiB of UTF-8 together. */
  read(step: StepId): readonly string[];
  /** The result with the last lines of the step that failed below its message. */
  describe(result: RunResult): RunResult;
}

const mark = '…';

/** The end of a text that has at most so many bytes as UTF-8, with a mark where something was cut off; a character is never cut in two. */
function endOf(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  // That many units have at least that many bytes, so that a long line is not encoded whole.
  const end = Buffer.from(text.slice(-bytes)).subarray(-Math.max(1, bytes - Buffer.byteLength(mark)));
  const start = end.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return mark + end.toString('utf8', Math.max(0, start));
}

function takeLast(lines: readonly string[]): readonly string[] {
  const taken: string[] = [];
  let room: number = lastLinesLimits.bytes;
  for (const line of [...lines].reverse()) {
    const size = Buffer.byteLength(line) + 1;
    if (size > room && taken.length > 0) break;
    taken.unshift(endOf(line, room - 1));
    room -= size;
  }
  return taken;
}

/** A result whose message goes on with lines, each indented by two spaces. */
function addLines(result: RunResult, lines: readonly string[]): RunResult {
  if (lines.length === 0 || result.message === undefined) return result;
  const message = [`${result.message}; its last lines:`, ...lines.map((line) => `  ${line}`)].join('\n');
  return { ...result, message };
}

/** Notes the last lines of steps: what people look for first when a run has failed. */
export function createLastLines(): LastLines {
  const tails = new Map<StepId, readonly string[]>();
  const read = (step: StepId): readonly string[] => takeLast(tails.get(step) ?? []);
  return {
    watch: (step, io) => {
      tails.delete(step);
      const output = (stream: OutputStream, text: string): void => {
        if (stream !== 'system' && text.trim() !== '') {
          const before = (tails.get(step) ?? []).slice(1 - lastLinesLimits.lines);
          tails.set(step, [...before, endOf(text, lastLinesLimits.bytes)]);
        }
        io.output(stream, text);
      };
      return { ...io, output };
    },
    read,
    describe: (result) => (result.failed === undefined ? result : addLines(result, read(result.failed.step))),
  };
}
