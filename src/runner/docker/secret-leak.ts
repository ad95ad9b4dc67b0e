import { secretArguments, type BuildJob } from './build-job.ts';
import { textField } from './json-lines.ts';

/** Names of secret arguments that an image's history shows: declared by ARG, or part of what a RUN was given. */
export function findLeaks(history: readonly string[], names: readonly string[]): readonly string[] {
  return names.filter((name) =>
    history.some((line) => {
      const words = line.split(/\s+/);
      const isDeclared = words.some((word, at) => word === 'ARG' && (words[at + 1] ?? '').split('=')[0] === name);
      return isDeclared || (/\|\d+ /.test(line) && words.some((word) => word.startsWith(`${name}=`)));
    }),
  );
}

/**
 * Says, without the values, which secret arguments the Dockerfile has taken as ARG: whoever pulls the image can read them in its
 * history. A history that cannot be had is passed over; the build has succeeded already.
 */
export async function warnOfLeaks(job: BuildJob, imageId: string): Promise<void> {
  const names = [...secretArguments(job.step).keys()];
  if (names.length === 0) return;
  try {
    const answer = await job.engine.json({ method: 'GET', path: `/images/${imageId}/history` });
    const history = (Array.isArray(answer) ? answer : []).map((layer) => textField(layer, 'CreatedBy') ?? '');
    for (const name of findLeaks(history, names)) {
      const advice = `use RUN --mount=type=secret,id=${name} instead of ARG ${name}`;
      job.io.output('system', `warning: the image's history shows the secret argument ${name}: ${advice}`);
    }
  } catch {
    // no history, no warning
  }
}
