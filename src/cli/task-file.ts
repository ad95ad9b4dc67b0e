import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fail } from '../domain/failure.ts';
import { formatDiagnostic, type Diagnostic } from '../task/diagnostic.ts';
import { listAliasSources, planTask, type PlanOptions, type PlanResult } from '../task/plan-task.ts';
import { createRender } from '../task/render.ts';
import type { RunData, Values } from '../task/render-data.ts';
import { readSetValues, readValues } from '../task/values.ts';
import type { Cli } from './cli.ts';
import type { CliIo } from './io.ts';
import type { ValueFlags } from './options.ts';

/** The options that say what a task file is rendered with. */
export interface TaskFlags extends ValueFlags {
  readonly registry?: string;
  readonly runId?: string;
  readonly task?: string;
  readonly commit?: string;
  readonly branch?: string;
}

/** A task file's text and its name as the user wrote it. */
export interface TaskText {
  readonly name: string;
  readonly text: string;
}

/** What the options come to. */
export interface TaskInputs {
  readonly run: RunData;
  readonly values: Values;
  /** Values that are not shown. */
  readonly hidden: readonly string[];
}

/** Milliseconds that a URL with aliases may take; the original's bound. */
const aliasTimeoutMs = 2000;

async function readText(io: CliIo, name: string, what: string): Promise<string> {
  try {
    return name === '-' ? await text(io.stdin) : await readFile(resolve(io.cwd, name), 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw fail('not-found', `the ${what} ${name} does not exist`);
    const why = code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code ?? 'unknown'})`;
    throw fail('invalid-request', `the ${what} ${name} cannot be used: ${why}`);
  }
}

/** Reads a task file; `-` is stdin. */
export async function readTaskText(io: CliIo, name: string): Promise<TaskText> {
  return { name: name === '-' ? '<stdin>' : name, text: await readText(io, name, 'task file') };
}

function readSet(items: readonly string[] | undefined, field: string): Values {
  const read = readSetValues(items ?? []);
  if ('values' in read) return read.values;
  throw fail('invalid-request', `${field} takes NAME=VALUE`, { field, hint: `for example ${field} name=value` });
}

/** Reads the options of a command into what the language room takes. */
export async function readTaskInputs(io: CliIo, flags: TaskFlags): Promise<TaskInputs> {
  const { values: file } = flags;
  const read = file === undefined ? undefined : readValues(await readText(io, file, 'values file'), file);
  if (read?.ok === false) {
    const [first] = read.errors;
    const place = first === undefined ? '' : `:${first.line}:${first.column}: ${first.message}`;
    throw fail('invalid-request', `${file ?? ''}${place}`, { field: '--values' });
  }
  const secret = readSet(flags.setSecret, '--set-secret');
  const values = { ...read?.values, ...readSet(flags.set, '--set'), ...secret };
  const { registry = '', runId = '', task, commit, branch } = flags;
  const run = { id: runId, registry, taskName: task, commit, branch, startedAt: new Date(io.clock.now()) };
  return {
    run,
    values,
    hidden: Object.values(secret).filter((value) => typeof value === 'string' && value.length > 3) as string[],
  };
}

/** Alias files by URL, fetched beforehand; what fails keeps its reason. */
async function fetchSources(sources: readonly string[]): Promise<ReadonlyMap<string, string | Error>> {
  const urls = sources.filter((source) => /^https?:\/\//i.test(source));
  const texts = urls.map(async (url) => {
    const response = await fetch(url, { signal: AbortSignal.timeout(aliasTimeoutMs) });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return response.text();
  });
  const settled = await Promise.allSettled(texts);
  return new Map(
    settled.map((one, index) => {
      const failure = new Error('it could not be fetched within 2 seconds');
      return [urls[index] ?? '', one.status === 'fulfilled' ? one.value : failure] as const;
    }),
  );
}

/** Reads an alias file: relative to the working directory as the original does, or else beside the task file. */
function readSource(io: CliIo, taskFile: string, source: string): string {
  for (const path of [resolve(io.cwd, source), resolve(io.cwd, dirname(taskFile), source)]) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      continue;
    }
  }
  throw new Error('there is no such file');
}

/** Plans a task file with what the options say; alias files and URLs are read. */
export async function planFile(
  { io }: Cli,
  file: TaskText,
  inputs: Pick<TaskInputs, 'run' | 'values'>,
): Promise<PlanResult> {
  const render = createRender({ now: io.clock.now(), random: Math.random });
  const options: PlanOptions = { file: file.name, ...inputs, render };
  const fetched = await fetchSources(listAliasSources(file.text, options));
  const readAliasSource = (source: string): string => {
    const found = fetched.get(source) ?? readSource(io, file.name, source);
    if (found instanceof Error) throw found;
    return found;
  };
  return planTask(file.text, { ...options, readAliasSource });
}

/** Writes diagnostics for people, in the file's order. */
export function formatDiagnostics(found: readonly Diagnostic[], color: boolean): readonly string[] {
  return found.map((diagnostic) => formatDiagnostic(diagnostic, { color }));
}

/** Puts stars in the place of values that are not to be shown, in every text of a document. */
export function hideValues<T>(document: T, hidden: readonly string[]): T {
  if (hidden.length === 0) return document;
  const hide = (value: unknown): unknown => {
    if (typeof value === 'string') return hidden.reduce((shown, secret) => shown.replaceAll(secret, '********'), value);
    if (Array.isArray(value)) return value.map(hide);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hide(one)]));
  };
  return hide(document) as T;
}
