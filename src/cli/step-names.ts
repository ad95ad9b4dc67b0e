import type { RunEvent } from '../domain/event.ts';
import { cleanLine } from './clean-line.ts';
import type { Colors } from './screen.ts';

const tones = ['cyan', 'yellow', 'magenta', 'green', 'blue'] as const;
const longest = 24;

/**
 * What stands in front of a line of output: `test  | `, the names of all steps equally wide and each in a colour of its own. Nothing for
 * lines of the run itself, and as long as it is not known that the run has several steps. Takes the run's events in order.
 */
export function createStepNames(colors: Colors): (event: RunEvent) => string {
  let names = new Map<string, string>();
  return (event) => {
    if (event.kind === 'run-planned' && event.steps.length > 1) {
      const ids = event.steps.map(({ id }) => id);
      const width = Math.min(longest, Math.max(...ids.map((id) => id.length)));
      names = new Map(
        ids.map((id, at) => {
          const tone = tones[at % tones.length] ?? 'cyan';
          return [id, `${colors[tone](`${cleanLine(id, false).padEnd(width)} |`)} `];
        }),
      );
    }
    return event.kind === 'output' && event.step !== undefined ? (names.get(event.step) ?? '') : '';
  };
}
