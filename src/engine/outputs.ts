import { FailureError } from '../domain/failure.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import type { Outcome } from '../domain/outcome.ts';
import { formatOutput, mayHaveOutputs, replaceOutputs, type OutputReference } from '../domain/output-reference.ts';
import type { OutputImage } from '../domain/run.ts';
import type { Step, StepId } from '../domain/step.ts';
import type { RunTry } from './policy/retry.ts';

type Failed = Extract<Outcome, { kind: 'failed' }>;
type Outcomes = ReadonlyMap<StepId, Outcome>;

/** A step that can run, or why it cannot. */
export type FilledStep = { readonly ok: true; readonly step: Step } | { readonly ok: false; readonly outcome: Failed };

/** Thrown and caught in this file: what keeps a step from being filled. */
class MissingOutput extends Error {}

/** Why a step has not given an output. */
function explainMissing({ step, name }: OutputReference, outcome: Outcome | undefined): string {
  switch (outcome?.kind) {
    case 'succeeded':
      return outcome.withheld?.includes(name)
        ? `step ${step} was done by another worker, and its output "${name}" holds a secret, which is not kept`
        : `step ${step} did not give the output "${name}"`;
    case 'failed':
    case 'timed-out':
    case 'canceled':
      return `step ${step} did not succeed, and so gave no outputs`;
    case 'skipped':
      return `step ${step} was skipped, and so gave no outputs`;
    case undefined:
      return `step ${step} has not run`;
  }
}

function valueOf(output: OutputReference, outcomes: Outcomes): string {
  const outcome = outcomes.get(output.step as StepId);
  const outputs = outcome?.kind === 'succeeded' ? outcome.outputs : undefined;
  const value = outputs && Object.hasOwn(outputs, output.name) ? outputs[output.name] : undefined;
  if (value === undefined) throw new MissingOutput(`${formatOutput(output)}: ${explainMissing(output, outcome)}`);
  return value;
}

/** The same data with every text in it changed. */
function mapTexts<T>(data: T, change: (text: string) => string): T {
  if (typeof data === 'string') return change(data) as T;
  if (Array.isArray(data)) return data.map((item: unknown) => mapTexts(item, change)) as T;
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, mapTexts(value, change)])) as T;
}

/** A step's references to images that outputs were put into: only now they can be checked. */
function checkImages(given: Step, filled: Step): void {
  const imagesOf = (step: Step): readonly string[] => {
    if (step.kind === 'cmd') return [step.image];
    return step.kind === 'push' ? step.images : step.tags;
  };
  const before = imagesOf(given);
  imagesOf(filled).forEach((image, index) => {
    if (mayHaveOutputs(before[index] ?? '')) parseImageReference(image);
  });
}

/** An image of a push without tag and digest is the one with the tag `latest`, as for those that the task names itself. */
function withTags(step: Step): Step {
  if (step.kind !== 'push') return step;
  return { ...step, images: step.images.map((image) => (/[:@]/.test(image) ? image : `${image}:latest`)) };
}

/**
 * Puts the outputs of the steps before it into a step. A value is put in as it is, in one word, and is not looked at for placeholders; scripts
 * have variables in the places of outputs since the task was planned, so that only `env` changes for them. The step cannot run when an output
 * is missing, or makes no image reference where one must be.
 */
export function fillOutputs(step: Step, outcomes: Outcomes): FilledStep {
  if (step.reads === undefined || step.reads.length === 0) return { ok: true, step };
  const { reads: _, outputs, ...texts } = step;
  try {
    const changed = mapTexts(texts, (text) => replaceOutputs(text, (output) => valueOf(output, outcomes)));
    const filled = withTags({ ...changed, ...(outputs && { outputs }) });
    checkImages(step, filled);
    return { ok: true, step: filled };
  } catch (error) {
    if (error instanceof MissingOutput) return { ok: false, outcome: { kind: 'failed', message: error.message } };
    if (!(error instanceof FailureError)) throw error;
    return { ok: false, outcome: { kind: 'failed', message: `an output does not fit: ${error.failure.message}` } };
  }
}

/** What a push step gives: `digest` and `image` (a reference by digest) of its first image, `digests` of all, with commas between them. */
function describePushed(images: readonly OutputImage[]): Readonly<Record<string, string>> {
  const [first] = images;
  if (first === undefined) return {};
  return {
    digest: first.digest,
    digests: images.map(({ digest }) => digest).join(','),
    image: `${first.registry}/${first.repository}@${first.digest}`,
  };
}

/** Adds outputs to the outcomes of push steps whose outputs are read. */
export function withPushOutputs(runTry: RunTry): RunTry {
  return async (step, io, signal, number) => {
    if (step.kind !== 'push' || step.outputs === undefined) return runTry(step, io, signal, number);
    const images: OutputImage[] = [];
    const pushed = (image: OutputImage): void => {
      images.push(image);
      io.pushed(image);
    };
    const outcome = await runTry(step, { ...io, pushed }, signal, number);
    return outcome.kind === 'succeeded' ? { ...outcome, outputs: describePushed(images) } : outcome;
  };
}

/**
 * An outcome as a run's record has it: an output whose value would be masked in the log is left out, and named in `withheld`. A masked value
 * would be taken for the real one when another worker goes on with the run; without it, a step that reads it fails and says why.
 */
export function withholdSecrets(outcome: Outcome, mask: (text: string) => string): Outcome {
  if (outcome.kind !== 'succeeded' || outcome.outputs === undefined) return outcome;
  const [withheld, kept] = [[] as string[], [] as [string, string][]];
  for (const [name, value] of Object.entries(outcome.outputs)) {
    if (mask(value) === value) kept.push([name, value]);
    else withheld.push(name);
  }
  if (withheld.length === 0) return outcome;
  return { ...outcome, outputs: Object.fromEntries(kept), withheld: [...(outcome.withheld ?? []), ...withheld] };
}
