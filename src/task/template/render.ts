import { Budget, defaultLimits, type TemplateLimits } from './budget.ts';
import { runNodes } from './evaluate.ts';
import { LimitFault, TemplateFault } from './faults.ts';
import { Printer } from './format/printer.ts';
import { noFlags } from './format/flags.ts';
import { fromData } from './from-data.ts';
import { templateFunctions } from './functions/index.ts';
import { GoRoot } from './outputs.ts';
import { Scope } from './scope.ts';
import { parseTemplate } from './syntax/parser.ts';
import { toWellFormed } from './text/bytes.ts';
import { loadZone } from './time/zone.ts';
import type { Environment } from './functions/define.ts';
import type { State } from './state.ts';
import { GoMap, type Value, type Zone } from './value.ts';

/** Steps to spend for loading a time zone. */
const zoneCost = 2000;

export interface RenderOptions {
  /** Milliseconds since the epoch that `now` gives. */
  readonly now: number;
  /** Gives random numbers n, 0 ≤ n < 1, for `uuidv4`, `randAlphaNum` and the like. */
  readonly random: () => number;
  readonly limits?: Partial<TemplateLimits>;
}

/** Where and why a template does not render. */
export interface TemplateError {
  /** As Go says it, without the place. */
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** What to do about it. */
  readonly hint?: string;
}

export type RenderResult =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: TemplateError };

/**
 * Renders a template of Go's `text/template` with the functions of Sprig over plain data (JSON-like; whole numbers are
 * ints). A missing key gives nothing; a field of a missing value is an error. Never throws, and ends within the limits
 * whatever the text and the data are.
 */
export function renderTemplate(text: string, data: unknown, options: RenderOptions): RenderResult {
  try {
    return { ok: true, text: render(text, data, options) };
  } catch (error) {
    return { ok: false, error: toTemplateError(text, error) };
  }
}

function render(text: string, data: unknown, options: RenderOptions): string {
  const budget = new Budget({ ...defaultLimits, ...options.limits });
  const { maxDepth } = budget.limits;
  const parsed = parseTemplate(text, { maxDepth, functions: functionNames });
  const given = fromData(data, maxDepth);
  const root = given instanceof GoMap ? new GoRoot(given.entries) : given;
  const scope = new Scope<Value>();
  scope.push('$', root);
  const output = new Printer(budget);
  const environment = makeEnvironment(budget, options);
  const state: State = { templates: parsed.defined, functions: templateFunctions, scope, output, budget, environment };
  runNodes(state, root, parsed.root);
  return toWellFormed(output.text.replaceAll('<no value>', ''));
}

function makeEnvironment(budget: Budget, { now, random }: RenderOptions): Environment {
  const zones = new Map<string, Zone | undefined>();
  return {
    budget,
    now,
    random,
    zone: (name) => {
      if (!zones.has(name)) {
        budget.spend(zoneCost);
        zones.set(name, loadZone(name));
      }
      return zones.get(name);
    },
    print: (value) => {
      const printer = new Printer(budget);
      printer.printArgument(value, 'v', noFlags());
      return printer.text;
    },
    printer: () => new Printer(budget),
  };
}

const functionNames: ReadonlySet<string> = new Set(templateFunctions.keys());

function toTemplateError(text: string, error: unknown): TemplateError {
  const fault = toFault(error);
  const before = text.slice(0, fault.offset ?? 0);
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  const { message, hint } = fault;
  return { message: toWellFormed(message.slice(0, 1000)), line, column, ...(hint === undefined ? {} : { hint }) };
}

/** A stack that runs out is a bound like the others; the depth limit makes it unlikely, whatever the caller had used. */
function toFault(error: unknown): TemplateFault {
  if (error instanceof TemplateFault) return error;
  if (error instanceof RangeError) return new LimitFault('nesting is too deep');
  throw error;
}
