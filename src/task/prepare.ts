import { separateAliases } from './alias/block.ts';
import { variableAliases } from './alias/built-in.ts';
import { readAliases, type AliasSources } from './alias/read.ts';
import { substituteAliases, type UnknownAlias } from './alias/substitute.ts';
import { createReport, type Diagnostic, type Fault } from './diagnostic.ts';
import { findNearest } from '../domain/nearest.ts';
import type { Values } from './render-data.ts';
import { createPlaces, removeComments, splitLines, type MappedText, type Place } from './text/mapped-text.ts';
import { findVersion, hasAliases } from './text/version.ts';

/** Renders a template with data; the same as `renderTemplate` of `template/`. */
export type Render = (text: string, data: Values) => RenderResult;

export type RenderResult =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false;
      readonly error: {
        readonly message: string;
        readonly line: number;
        readonly column: number;
        readonly hint?: string | undefined;
      };
    };

/** A task's text before its templates are rendered. */
export interface Prepared {
  readonly template: MappedText;
  /** For the first words of cmd; empty in versions without aliases. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** A file and how its faults are told. */
export interface TaskFile {
  readonly name: string;
  readonly text: string;
}

/** Makes a diagnostic of a fault at a place of a text that was made of the file's lines. */
export function diagnose(
  { name, text }: TaskFile,
  { origins }: MappedText,
  fault: Omit<Fault, 'at'> & Place,
): Diagnostic {
  const { severity, code, message, hint, column } = fault;
  const line = origins[fault.line - 1] ?? origins.at(-1) ?? 1;
  const source = splitLines(text)[line - 1] ?? '';
  return { severity, code, message, file: name, line, column, source, ...(hint !== undefined && { hint }) };
}

/** What preparing needs besides the file. */
export interface PrepareOptions extends AliasSources {
  readonly render: Render;
  readonly data: Values;
  /** Takes what is found. */
  readonly add: (diagnostic: Diagnostic) => void;
}

function addFaults(file: TaskFile, text: MappedText, faults: readonly Fault[], add: PrepareOptions['add']): void {
  const placeOf = createPlaces(text.text);
  for (const fault of faults) add(diagnose(file, text, { ...fault, ...placeOf(fault.at) }));
}

const dollarName = /\$([a-zA-Z0-9]+)/g;

/** In versions without aliases their built-in names are only text, which is hardly ever meant. */
function warnOfDeadAliases(file: TaskFile, text: MappedText, add: PrepareOptions['add']): void {
  for (const { 1: name = '', index } of text.text.matchAll(dollarName)) {
    if (!Object.hasOwn(variableAliases, name)) continue;
    const message = `$${name} is an alias, and aliases need version v1.1.0`;
    const hint = `write version: v1.1.0 at the top, or ${variableAliases[name] ?? ''}`;
    addFaults(file, text, [{ severity: 'warning', code: 'alias', message, hint, at: index }], add);
    return;
  }
}

/** Names that are near an alias are perhaps meant to be it; all others are left alone, as the original does. */
function warnOfUnknown(unknown: readonly UnknownAlias[], aliases: ReadonlyMap<string, string>): readonly Fault[] {
  return unknown.slice(0, 50).flatMap(({ name, at }) => {
    const nearest = name.length < 4 ? undefined : findNearest(name, aliases.keys());
    if (nearest === undefined) return [];
    const message = `there is no alias "${name}"; the text stays as it is`;
    return [{ severity: 'warning', code: 'alias', message, hint: `did you mean "$${nearest}"?`, at } as const];
  });
}

function renderBlock(file: TaskFile, block: MappedText, { render, data, add }: PrepareOptions): string | undefined {
  if (block.text === '') return '';
  const rendered = render(block.text, data);
  if (rendered.ok) return rendered.text;
  const { line, column, message, hint } = rendered.error;
  add(
    diagnose(file, block, {
      severity: 'error',
      code: 'template',
      message,
      line,
      column,
      ...(hint !== undefined && { hint }),
    }),
  );
  return undefined;
}

/**
 * The first stages (acr-tasks.md §1.0, 1–3): comment lines go, the version decides about aliases, aliases are replaced.
 * @returns undefined after an error that leaves no text to go on with.
 */
export function prepareTask(file: TaskFile, options: PrepareOptions): Prepared | undefined {
  const template = removeComments(file.text);
  if (!hasAliases(findVersion(template.text))) {
    warnOfDeadAliases(file, template, options.add);
    return { template, aliases: new Map() };
  }
  const { block, rest } = separateAliases(template);
  const rendered = renderBlock(file, block, options);
  if (rendered === undefined) return undefined;
  const report = createReport();
  const { values, directive } = readAliases(rendered, options, report);
  // Places in the rendered block are those of its template but for what templates put in: near enough for a block of a few lines.
  addFaults(file, { text: rendered, origins: block.origins }, report.faults, options.add);
  const { text, unknown, isTooLong } = substituteAliases(rest, {
    values,
    directive,
    maxLength: options.limits.renderedLength,
  });
  if (isTooLong) {
    const message = 'the file becomes too long when its aliases are replaced';
    addFaults(file, rest, [{ severity: 'error', code: 'limit', message, at: 0 }], options.add);
    return undefined;
  }
  addFaults(file, rest, warnOfUnknown(unknown, values), options.add);
  return { template: text, aliases: values };
}
