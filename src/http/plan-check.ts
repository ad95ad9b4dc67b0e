import { fail } from '../domain/failure.ts';
import type { EncodedTaskRunRequest, RunRequest } from '../domain/run-request.ts';
import type { RunId } from '../domain/run.ts';
import type { Diagnostic } from '../task/diagnostic.ts';
import { listAliasSources, planTask, type PlanOptions } from '../task/plan-task.ts';
import { planQuickBuild } from '../task/quick-build.ts';
import { createRender } from '../task/render.ts';
import type { Values } from '../task/render-data.ts';
import { readValues } from '../task/values.ts';

/** Made up for what only a worker knows: a plan is made to see that it can be, and thrown away. */
const madeUp = {
  runId: 'ca1' as RunId,
  startedAt: new Date(0),
  architecture: 'amd64',
  commit: '0'.repeat(40),
  branch: 'main',
  gitTag: 'v1',
  taskName: 'task1',
  triggeredBy: 'Manual',
};

function decode(content: string): string {
  return Buffer.from(content, 'base64').toString('utf8');
}

function checkValues({ encodedValuesContent, values }: EncodedTaskRunRequest): Values {
  const read = readValues(decode(encodedValuesContent ?? ''));
  const given = Object.fromEntries(values.map(({ name, value }) => [name, value]));
  if (read.ok) return { ...read.values, ...given };
  const places = read.errors.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  throw fail('invalid-request', `the values file is wrong at ${places.join('; ')}`, { field: 'encodedValuesContent' });
}

function refuse(errors: readonly Diagnostic[]): never {
  const field = 'encodedTaskContent';
  const details = errors.map(({ line, column, message }) => ({ field, message: `${line}:${column}: ${message}` }));
  throw fail('invalid-request', `the task is wrong at ${details[0]?.message ?? 'its beginning'}`, { field, details });
}

function checkTask(request: EncodedTaskRunRequest, registry: string): void {
  const text = decode(request.encodedTaskContent);
  const options: PlanOptions = {
    run: { id: madeUp.runId, registry, startedAt: madeUp.startedAt },
    values: checkValues(request),
    render: createRender({ now: 0, random: () => 0.5 }),
  };
  // What stands in other files is known to the worker alone, which says what is wrong then.
  if (listAliasSources(text, options).length > 0) return;
  const result = planTask(text, options);
  if (!result.ok) refuse(result.errors);
}

/**
 * Makes the check that refuses at once what no worker could plan: image names, a task that comes with its request.
 * Throws `invalid-request` that names the field, and the place in the task.
 */
export function createPlanCheck(registry: string): (request: RunRequest) => void {
  return (request) => {
    if (request.type === 'DockerBuildRequest') planQuickBuild(request, { ...madeUp, registry });
    if (request.type === 'EncodedTaskRunRequest') checkTask(request, registry);
  };
}
