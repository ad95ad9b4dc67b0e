import type { StepId } from '../../domain/step.ts';
import type { Report } from '../diagnostic.ts';
import { suggest } from '../../domain/nearest.ts';
import type { RawStep } from './scope.ts';

const idPattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** The name that a step without one gets. */
function generatedId(index: number): string {
  return `acb_step_${index}`;
}

/** The id of a step; an explicit one is checked, because it names a container and a host on the run's network. */
export function readId({ fields, index }: Pick<RawStep, 'fields' | 'index'>, report: Report): string {
  const { id } = fields;
  if (id === undefined || id.value === '') return generatedId(index);
  if (id.value === 'acb_root') report.error(id.at, 'id', 'acb_root is a reserved id');
  else if (!idPattern.test(id.value)) {
    const hint = 'use letters, digits, "_", "." and "-", and begin with a letter or a digit';
    report.error(id.at, 'id', `${JSON.stringify(id.value.slice(0, 60))} cannot be the id of a step`, hint);
  }
  return id.value;
}

/** Ids are unique, those that are generated among them. */
export function checkIds(steps: readonly RawStep[], report: Report): void {
  const seen = new Map<string, number>();
  for (const { id, at, index, fields } of steps) {
    const first = seen.get(id);
    if (first === undefined) seen.set(id, index);
    else {
      const hint = fields.id === undefined ? 'give this step an id of its own' : undefined;
      report.error(fields.id?.at ?? at, 'id', `step ${first + 1} has the id "${id}" already`, hint);
    }
  }
}

/** What is wrong with an item of `when`, and what to do about it. */
function judge(
  need: string,
  step: RawStep,
  above: ReadonlySet<string>,
  all: ReadonlySet<string>,
): readonly [string, string | undefined] | undefined {
  if (need === '') return ['when takes ids of steps, and this is empty', undefined];
  if (need === step.id) return [`step "${step.id}" waits for itself`, undefined];
  if (above.has(need)) return undefined;
  if (all.has(need))
    return [`step "${need}" stands below; when takes steps above`, 'move this step below the one it waits for'];
  return [`there is no step "${need.slice(0, 60)}"`, suggest(need, above)];
}

/** The ids that a step's `when` names, each once. */
function readWhen(
  step: RawStep,
  above: ReadonlySet<string>,
  all: ReadonlySet<string>,
  report: Report,
): readonly string[] {
  const when = step.fields.when?.value ?? [];
  const needs = new Set<string>();
  const isAtOnce = when.some(({ value }) => value === '-');
  for (const { value, at } of when) {
    if (value === '-' && when.length > 1) report.error(at, 'when', '"-" means at once, and stands alone in when');
    if (isAtOnce) continue;
    const fault = judge(value, step, above, all);
    if (fault !== undefined) report.error(at, 'when', ...fault);
    else if (needs.has(value)) report.warn(at, 'when', `when names "${value}" twice; once is enough`);
    else needs.add(value);
  }
  return [...needs];
}

/**
 * The steps that each step needs (acr-tasks.md §1.3): without `when` the one right above it, with `["-"]` none, else those that it names,
 * each once. Only steps above can be named, so that there are no cycles.
 */
export function readNeeds(steps: readonly RawStep[], report: Report): readonly (readonly StepId[])[] {
  const all = new Set(steps.map(({ id }) => id));
  const above = new Set<string>();
  return steps.map((step, index) => {
    const previous = steps[index - 1];
    const isImplicit = (step.fields.when?.value ?? []).length === 0;
    const before = previous === undefined ? [] : [previous.id];
    const needs = isImplicit ? before : readWhen(step, above, all, report);
    above.add(step.id);
    return needs as readonly StepId[];
  });
}
