import { fail } from '../../../src/domain/failure.ts';
import type { DockerTaskStep, EncodedTaskStep, Task } from '../../../src/domain/task.ts';
import type { LearnMeans } from '../../../src/patch/learn/means.ts';
import type { Context, ContextWish } from '../../../src/source/ports.ts';
import { requestOfTask } from '../../../src/trigger/task-request.ts';
import { planRun } from '../../../src/worker/plan-run.ts';
import { aRun } from '../../rig/runs.ts';
import { aTask } from '../../rig/tasks.ts';

export const registryHost = 'reg.test:5000';
export const contextPath = 'https://git.example/acme/app.git#main';

/** A context of these files that counts how often it is opened and how many are open. */
export function createContexts(files: Readonly<Record<string, string>>, others: Record<string, typeof files> = {}) {
  const seen = {
    opened: [] as { location: string; wish: ContextWish }[],
    open: 0,
    fault: undefined as Error | undefined,
  };
  const openContext = async (location: string, wish: ContextWish): Promise<Context> => {
    seen.opened.push({ location, wish });
    if (seen.fault !== undefined) throw seen.fault;
    const own = others[location] ?? files;
    seen.open++;
    return {
      description: location,
      commit: 'c'.repeat(40),
      open: () => Promise.reject(new Error('nobody builds')),
      readFile: async (name) => own[name],
      dispose: async () => {
        seen.open--;
      },
    };
  };
  return { seen, openContext };
}

/** Means with the planner that workers have. */
export function createMeans(
  files: Readonly<Record<string, string>>,
  change: Partial<LearnMeans> & { readonly others?: Record<string, Record<string, string>> } = {},
) {
  const { others, ...over } = change;
  const { seen, openContext } = createContexts(files, others);
  const means: LearnMeans = {
    requestOf: async (task, followed = []) =>
      requestOfTask(task, { arguments: {}, registries: {}, sources: {}, webhook: [] }, { followed }),
    openContext,
    plan: (request, { runId, task, cause, startedAt, random, context }) =>
      planRun(request, {
        run: aRun({ runId, task: task.name, cause, request }),
        registryHost,
        startedAt,
        architecture: 'amd64',
        context,
        random,
        say: () => undefined,
        fetchText: () => Promise.reject(fail('not-found', 'no such text')),
        resolveSecret: async () => 'standin',
        onSecrets: () => undefined,
      }),
    triggersOf: async () => [],
    architecture: 'amd64',
    timeoutMs: 10_000,
    ...over,
  };
  return { means, seen };
}

export function dockerTask(step: Partial<DockerTaskStep> = {}, change: Partial<Task> = {}): Task {
  return aTask({
    step: { ...(aTask().step as DockerTaskStep), contextPath, imageNames: ['app:v1'], ...step },
    ...change,
  });
}

export function yamlTask(text: string, change: Partial<Task> = {}, step: Partial<EncodedTaskStep> = {}): Task {
  const encodedTaskContent = Buffer.from(text).toString('base64');
  return aTask({
    step: { type: 'EncodedTask', hasContextToken: false, contextPath, encodedTaskContent, values: [], ...step },
    ...change,
  });
}

export const trigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled' } as const;
export const withTrigger = (more: object = {}) => ({
  trigger: { timerTriggers: [], sourceTriggers: [], baseImageTrigger: { ...trigger, ...more } },
});
