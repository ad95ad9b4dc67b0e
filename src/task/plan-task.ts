import { createReport, type Diagnostic, type Fault } from './diagnostic.ts';
import { defaultLimits, type Limits } from './limits.ts';
import type { ReadAliasSource } from './alias/read.ts';
import { formatOutput, replaceOutputs } from '../domain/output-reference.ts';
import type { Plan, SecretSource } from '../domain/step.ts';
import { diagnose, prepareTask, type Prepared, type Render, type TaskFile } from './prepare.ts';
import { findUnsafe, renderData, type RunData, type Values } from './render-data.ts';
import { readTask, readTaskSecrets } from './steps/task.ts';
import { createLocator, type Locator } from './text/locate.ts';
import { createPlaces, type Place } from './text/mapped-text.ts';
import { isNothing } from './yaml/fields.ts';
import { parseYaml } from './yaml/parse.ts';

/** What a task file is planned with. */
export interface PlanOptions {
  /** The file's name, for diagnostics; `task.yaml` when not given. */
  readonly file?: string | undefined;
  readonly run: RunData;
  /** `.Values`: those of a file and of `--set` together. */
  readonly values?: Values | undefined;
  /** The values of secrets by id. A secret that is not among them has a word of its own put in its place, which is good for looking only. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  readonly render: Render;
  /** Reads the `src` files of an alias block. */
  readonly readAliasSource?: ReadAliasSource | undefined;
  /** Images by their one-word names, in place of the original's. */
  readonly imageAliases?: Readonly<Record<string, string>> | undefined;
  /** For tasks that name no working directory. */
  readonly workingDirectory?: string | undefined;
  /** `NAME=value` for all steps; the task's own win. */
  readonly env?: readonly string[] | undefined;
  /** A network that exists already, and becomes the default. */
  readonly network?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
}

/** A plan, or all that keeps the file from being one; in order of their places in the file. */
export type PlanResult =
  | { readonly ok: true; readonly plan: Plan; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly errors: readonly Diagnostic[]; readonly warnings: readonly Diagnostic[] };

/** The work on one file. */
interface Work {
  readonly file: TaskFile;
  readonly options: PlanOptions;
  readonly limits: Limits;
  readonly found: Diagnostic[];
}

function startWork(text: string, options: PlanOptions): Work {
  const limits = { ...defaultLimits, ...options.limits };
  const file = { name: options.file ?? 'task.yaml', text };
  return { file, options, limits, found: [] };
}

function isBroken({ found }: Work): boolean {
  return found.some(({ severity }) => severity === 'error');
}

function addError({ file, found }: Work, code: string, message: string, hint?: string): void {
  const origins = { text: file.text, origins: [1] };
  found.push(
    diagnose(file, origins, {
      severity: 'error',
      code,
      message,
      line: 1,
      column: 1,
      ...(hint !== undefined && { hint }),
    }),
  );
}

/** Checks what has to hold before the text is looked at. */
function checkText(work: Work): void {
  const { file, limits, options } = work;
  if (file.text.length > limits.bytes || Buffer.byteLength(file.text) > limits.bytes)
    addError(work, 'limit', `a task file has at most ${limits.bytes / 1024} KiB`);
  const unsafe = findUnsafe(options.run);
  if (unsafe !== undefined)
    addError(work, 'unsafe', unsafe, 'templates put it into the task as text; rename the branch or tag');
}

/** The rendered text and how to find places of it in the file. */
interface Rendered {
  readonly text: string;
  readonly placeOf: (offset: number) => Place;
  readonly locator: Locator;
}

function checkRendered(work: Work, text: string): boolean {
  const isEmpty = text.trim() === '';
  const isTooLong = text.length > work.limits.renderedLength;
  if (isEmpty) addError(work, 'empty', 'nothing is left of this file after rendering');
  if (isTooLong) addError(work, 'limit', 'the file becomes too long when it is rendered');
  return !isEmpty && !isTooLong;
}

function renderWith(
  work: Work,
  { template }: Prepared,
  secrets: Readonly<Record<string, string>>,
): Rendered | undefined {
  const { file, options, found } = work;
  const data = renderData(options.run, options.values ?? {}, secrets);
  const result = options.render(template.text, data);
  if (!result.ok) {
    const { message, line, column, hint } = result.error;
    const fault = { severity: 'error', code: 'template', message, line, column } as const;
    found.push(diagnose(file, template, { ...fault, ...(hint !== undefined && { hint }) }));
    return undefined;
  }
  if (!checkRendered(work, result.text)) return undefined;
  const rerender = (text: string): string | undefined => {
    const again = options.render(text, data);
    return again.ok ? again.text : undefined;
  };
  const { text } = result;
  return {
    text,
    placeOf: createPlaces(text),
    locator: createLocator({ file: file.text, template, rendered: text, rerender }),
  };
}

function addFaults({ file, found }: Work, { placeOf, locator }: Rendered, faults: readonly Fault[]): void {
  for (const { at, message, ...fault } of faults) {
    const shown = replaceOutputs(message, formatOutput);
    found.push({ ...fault, message: shown, file: file.name, ...locator.locate(placeOf(at)) });
  }
}

/** The secrets that a rendered text asks for: what a first pass is for. */
function findSecrets(work: Work, rendered: Rendered): readonly SecretSource[] {
  const report = createReport();
  const root = parseYaml(rendered.text, work.limits, report);
  const secrets = readTaskSecrets(root, report);
  if (report.hasErrors()) addFaults(work, rendered, report.faults);
  return secrets;
}

function mayHaveSecrets({ template }: Prepared): boolean {
  return /secrets/i.test(template.text);
}

function placeholderOf(id: string): string {
  return `__secret_${id.replace(/\W/g, '_')}__`;
}

/** Renders once, or twice when the task has secrets: the first time to learn which (acr-tasks.md §2.3). */
function renderTask(work: Work, prepared: Prepared): Rendered | undefined {
  const first = renderWith(work, prepared, {});
  if (first === undefined || !mayHaveSecrets(prepared)) return first;
  const wanted = findSecrets(work, first);
  if (wanted.length === 0) return first;
  const given = work.options.secrets ?? {};
  const value = (id: string): string => (Object.hasOwn(given, id) ? (given[id] ?? '') : placeholderOf(id));
  return renderWith(work, prepared, Object.fromEntries(wanted.map(({ id }) => [id, value(id)])));
}

function prepare(work: Work): Prepared | undefined {
  checkText(work);
  if (isBroken(work)) return undefined;
  const { options, limits, found, file } = work;
  return prepareTask(file, {
    limits,
    render: options.render,
    data: renderData(options.run, options.values ?? {}, {}),
    images: options.imageAliases,
    readSource: options.readAliasSource,
    add: (diagnostic) => found.push(diagnostic),
  });
}

function readRendered(work: Work, prepared: Prepared, rendered: Rendered): Plan | undefined {
  const { options, limits } = work;
  const report = createReport();
  const root = parseYaml(rendered.text, limits, report);
  const isEmpty = root === undefined || isNothing(root);
  if (isEmpty && !report.hasErrors()) report.error(0, 'empty', 'this file has no task in it');
  const lineOf = (at: number): number => rendered.locator.locate(rendered.placeOf(at)).line;
  const { workingDirectory, env, network } = options;
  const plan = readTask(
    isEmpty ? undefined : root,
    { limits, text: rendered.text, aliases: prepared.aliases, workingDirectory, env, network, lineOf },
    report,
  );
  addFaults(work, rendered, report.faults);
  return plan;
}

function sorted(found: readonly Diagnostic[], severity: Diagnostic['severity']): readonly Diagnostic[] {
  const unique = new Map(
    found
      .filter((one) => one.severity === severity)
      .map((one) => [`${one.line}:${one.column}:${one.message}`, one] as const),
  );
  return [...unique.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

/**
 * Turns the text of a task file into a plan (acr-tasks.md §1.0): comment lines, aliases, templates, YAML, checks, graph. Never throws: all
 * that is wrong is reported at once, each with its place in the file. Pure: files and secrets come in by `options`.
 */
export function planTask(text: string, options: PlanOptions): PlanResult {
  const work = startWork(text, options);
  const prepared = prepare(work);
  const rendered = prepared === undefined ? undefined : renderTask(work, prepared);
  const plan = prepared === undefined || rendered === undefined ? undefined : readRendered(work, prepared, rendered);
  const warnings = sorted(work.found, 'warning');
  if (plan !== undefined && !isBroken(work)) return { ok: true, plan, warnings };
  return { ok: false, errors: sorted(work.found, 'error'), warnings };
}

/** The secrets that a task file asks for, to be fetched before it is planned. */
export type SecretsResult =
  | { readonly ok: true; readonly secrets: readonly SecretSource[] }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

/** Finds a task's secrets with a first rendering; the rest of the file is not checked. */
export function listSecrets(text: string, options: PlanOptions): SecretsResult {
  const work = startWork(text, options);
  const prepared = prepare(work);
  const rendered = prepared === undefined || !mayHaveSecrets(prepared) ? undefined : renderWith(work, prepared, {});
  const secrets = rendered === undefined ? [] : findSecrets(work, rendered);
  return isBroken(work) ? { ok: false, errors: sorted(work.found, 'error') } : { ok: true, secrets };
}

/**
 * The `src` files and URLs of a task's alias block, to be fetched before it is planned; empty when the file has none, or has a fault that
 * {@link planTask} will report.
 */
export function listAliasSources(text: string, options: PlanOptions): readonly string[] {
  const sources: string[] = [];
  prepare(startWork(text, { ...options, readAliasSource: (source) => (sources.push(source), '') }));
  return [...new Set(sources)];
}
