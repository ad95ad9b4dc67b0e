import { fail } from '../domain/failure.ts';
import type { EncodedTaskRunRequest, FileTaskRunRequest, RunRequest } from '../domain/run-request.ts';
import type { Run } from '../domain/run.ts';
import type { RunCause } from '../domain/run-cause.ts';
import type { Plan, SecretSource } from '../domain/step.ts';
import type { Context } from '../source/ports.ts';
import { imageAliasesWith } from '../task/alias/built-in.ts';
import { formatDiagnostic, type Diagnostic } from '../task/diagnostic.ts';
import { listAliasSources, listSecrets, planTask, type PlanOptions } from '../task/plan-task.ts';
import { planQuickBuild } from '../task/quick-build.ts';
import type { RunData, Values } from '../task/render-data.ts';
import { createRender } from '../task/render.ts';
import { readValues } from '../task/values.ts';

/** What a run is planned with besides its request. */
export interface PlanRunOptions {
  readonly run: Run;
  readonly registryHost: string;
  readonly startedAt: Date;
  /** Of the worker's engine. */
  readonly architecture: string;
  readonly context: Context | undefined;
  /** The installation's own images for names of one word. */
  readonly images?: Readonly<Record<string, string>> | undefined;
  /** Numbers n, 0 ≤ n < 1, for templates that ask for random ones. */
  readonly random: () => number;
  /** Says something about the task file in the run's log. */
  readonly say: (line: string) => void;
  /** Fetches a small text from a URL: the `src` of an alias block. Rejects with what is wrong. */
  readonly fetchText: (url: string) => Promise<string>;
  /** The value of a secret that the task asks for. Rejects with a failure that names it. */
  readonly resolveSecret: (source: SecretSource) => Promise<string>;
  /** Told the values before anything that may hold them is said or thrown. */
  readonly onSecrets: (values: readonly string[]) => void;
}

type TaskRequest = FileTaskRunRequest | EncodedTaskRunRequest;

/** A text file of a task, with the name it goes by in messages. */
interface TaskFile {
  readonly name: string;
  readonly text: string;
}

const maxFileBytes = 256 * 1024;

async function readContextFile({ context }: PlanRunOptions, name: string, field: string): Promise<TaskFile> {
  const text = await context?.readFile(name, maxFileBytes);
  if (text !== undefined) return { name, text };
  throw fail('invalid-request', `the file ${name} is not in the context`, { field });
}

function decode(content: string, name: string): TaskFile {
  return { name, text: Buffer.from(content, 'base64').toString('utf8') };
}

async function readTaskFile(request: TaskRequest, options: PlanRunOptions): Promise<TaskFile> {
  if (request.type === 'EncodedTaskRunRequest') return decode(request.encodedTaskContent, 'task.yaml');
  return readContextFile(options, request.taskFilePath, 'taskFilePath');
}

async function readValuesFile(request: TaskRequest, options: PlanRunOptions): Promise<TaskFile | undefined> {
  if (request.type === 'FileTaskRunRequest') {
    const { valuesFilePath } = request;
    return valuesFilePath === undefined ? undefined : readContextFile(options, valuesFilePath, 'valuesFilePath');
  }
  const { encodedValuesContent } = request;
  return encodedValuesContent === undefined ? undefined : decode(encodedValuesContent, 'values.yaml');
}

/** Says each fault with its place, and fails with the first. */
function failWith(errors: readonly Diagnostic[], { say }: PlanRunOptions): never {
  for (const error of errors) for (const line of formatDiagnostic(error, { color: false }).split('\n')) say(line);
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more; see the log)` : '';
  const place = first ? `${first.file}:${first.line}:${first.column}: ${first.message}` : 'the task file is wrong';
  throw fail('invalid-request', `${place}${more}`);
}

/** Those of the values file, and over them those of the request, which are texts. */
async function collectValues(request: TaskRequest, options: PlanRunOptions): Promise<Values> {
  const file = await readValuesFile(request, options);
  const read = file === undefined ? { ok: true as const, values: {} } : readValues(file.text, file.name);
  if (!read.ok) return failWith(read.errors, options);
  return { ...read.values, ...Object.fromEntries(request.values.map(({ name, value }) => [name, value])) };
}

/** The texts of the files and URLs that the alias block names. */
async function readAliasSources(sources: readonly string[], options: PlanRunOptions): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const source of sources) {
    const isUrl = /^https?:\/\//i.test(source);
    texts.set(
      source,
      isUrl ? await options.fetchText(source) : (await readContextFile(options, source, 'alias.src')).text,
    );
  }
  return texts;
}

/** A stranger's code is run with the task's file, or with its own; neither may see a secret. */
function refuseStranger({ cause }: Run): void {
  if (cause?.kind !== 'source' || cause.isTrusted) return;
  throw fail('forbidden', "the task asks for secrets, and a fork's pull request gets none", {
    field: 'secrets',
    hint: 'let the trigger trust forks (trustsForks), or use a task without secrets for pull requests',
  });
}

/** The values of the secrets that the task asks for, by id; all are fetched at the same time. */
async function readSecrets(
  text: string,
  settings: PlanOptions,
  options: PlanRunOptions,
): Promise<Record<string, string>> {
  const found = listSecrets(text, settings);
  if (!found.ok) return failWith(found.errors, options);
  if (found.secrets.length > 0) refuseStranger(options.run);
  const values = await Promise.all(
    found.secrets.map(async (source) => [source.id, await options.resolveSecret(source)] as const),
  );
  options.onSecrets(values.map(([, value]) => value));
  return Object.fromEntries(values);
}

/** What made the run happen, in the words that Azure's CLI has for it. */
function nameTrigger(cause: RunCause | undefined): string {
  switch (cause?.kind) {
    case undefined:
    case 'manual':
      return 'Manual';
    case 'source':
      return cause.eventType;
    case 'timer':
      return 'Timer';
    case 'image-update':
      return 'Image Update';
    case 'scan':
      return 'Scan';
  }
}

/** What `.Run` has of the run's task and of the event that made it. Whether it is safe to put into the task is seen by the planner. */
function describeRun({ cause, task }: Run): Partial<RunData> {
  const source = cause?.kind === 'source' ? cause : undefined;
  return {
    taskName: task,
    triggeredBy: nameTrigger(cause),
    branch: source?.branchName,
    gitTag: source?.tagName,
    repository: source?.repositoryUrl.replace(/\/\/[^/@]*@/, '//'),
  };
}

async function planTaskRun(request: TaskRequest, options: PlanRunOptions): Promise<Plan> {
  const { run, registryHost, startedAt, architecture, context } = options;
  const file = await readTaskFile(request, options);
  const settings: PlanOptions = {
    file: file.name,
    run: {
      ...describeRun(run),
      id: run.runId,
      registry: registryHost,
      startedAt,
      architecture,
      commit: context?.commit,
    },
    values: await collectValues(request, options),
    render: createRender({ now: startedAt.getTime(), random: options.random }),
    imageAliases: imageAliasesWith(options.images ?? {}),
  };
  const sources = await readAliasSources(listAliasSources(file.text, settings), options);
  const complete = { ...settings, readAliasSource: (source: string) => sources.get(source) ?? '' };
  const secrets = await readSecrets(file.text, complete, options);
  const result = planTask(file.text, { ...complete, secrets });
  for (const warning of result.warnings) options.say(`warning: ${warning.file}:${warning.line}: ${warning.message}`);
  return result.ok ? result.plan : failWith(result.errors, options);
}

/**
 * Makes the plan of a run out of its request and context.
 * @throws `invalid-request` for a task file or image name that is wrong (all faults are said before), `unsupported` for what this server
 * cannot do yet, and whatever reading the context rejects with.
 */
export async function planRun(request: RunRequest, options: PlanRunOptions): Promise<Plan> {
  if (request.type !== 'DockerBuildRequest') return planTaskRun(request, options);
  const { run, registryHost: registry, startedAt, architecture, context } = options;
  const known = { ...describeRun(run), commit: context?.commit };
  return planQuickBuild(request, { ...known, runId: run.runId, registry, startedAt, architecture });
}
