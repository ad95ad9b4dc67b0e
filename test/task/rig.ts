import { planTask, type PlanOptions, type PlanResult } from '../../src/task/plan-task.ts';
import type { Plan } from '../../src/domain/step.ts';
import { createRender } from '../../src/task/render.ts';
import type { RunData, Values } from '../../src/task/render-data.ts';

/** When the runs of the tests started. */
export const startedAt = new Date('2026-03-04T05:06:07Z');

/** The run that the corpus was planned for. */
export const run: RunData = { id: 'run1', registry: 'registry.example.com', taskName: 'sample', startedAt };

/** `--set` of the corpus. */
export const values: Values = {
  secret1: 's3cret',
  secret2: 'v2',
  REGISTRY1: 'one.example.com',
  REGISTRY2: 'two.example.com',
  regDate: 'two.example.com',
  registryName: 'registry',
  mysecret: 'm',
};

/** The language's templates, with a clock and dice that do not move. */
export const render = createRender({ now: startedAt.getTime(), random: () => 0.5 });

/** Plans with the run and values of the corpus. */
export function plan(text: string, options: Partial<PlanOptions> = {}): PlanResult {
  return planTask(text, { run, values, render, ...options });
}

/** The plan of a text that must have one. */
export function planned(text: string, options: Partial<PlanOptions> = {}): Plan {
  const result = plan(text, options);
  if (!result.ok)
    throw new Error(result.errors.map(({ line, column, message }) => `${line}:${column} ${message}`).join('\n'));
  return result.plan;
}

/** The errors of a text that must have some, as `line:column message`. */
export function errorsOf(text: string, options: Partial<PlanOptions> = {}): readonly string[] {
  const result = plan(text, options);
  if (result.ok) throw new Error('the text has a plan');
  return result.errors.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

/** The warnings of a text, as `line:column message`. */
export function warningsOf(text: string, options: Partial<PlanOptions> = {}): readonly string[] {
  return plan(text, options).warnings.map(({ line, column, message }) => `${line}:${column} ${message}`);
}
