import { toJson, type JsonOptions } from '../format/json.ts';
import { GoList, GoMap, type Value } from '../value.ts';
import { refuse } from '../faults.ts';
import { fn, orElse, type Environment, type FunctionTable } from './define.ts';

const compact: JsonOptions = { indent: 0, escapesHtml: true };
const pretty: JsonOptions = { indent: 2, escapesHtml: true };
const raw: JsonOptions = { indent: 0, escapesHtml: false };

/** Values from JSON; every number is a float64, as Go reads it. */
function fromParsed(value: unknown, env: Environment): Value {
  env.budget.spend();
  if (Array.isArray(value)) return new GoList(env.budget.nested(() => value.map((item) => fromParsed(item, env))));
  if (typeof value === 'object' && value !== null) {
    const entries = env.budget.nested(() =>
      Object.entries(value).map(([key, item]) => [key, fromParsed(item, env)] as const),
    );
    return new GoMap(new Map(entries));
  }
  return value as null | string | number | boolean;
}

function parse(text: string, env: Environment): Value {
  env.budget.spend(text.length >>> 3);
  if (/^\s*[[{]/.test(text)) checkDepth(text, env);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refuse('the text is not JSON');
  }
  return fromParsed(parsed, env);
}

/** Brackets are counted before the parser sees them. */
function checkDepth(text: string, env: Environment): void {
  let depth = 0;
  for (const [char] of text.matchAll(/[[\]{}]/g)) {
    depth += char === '[' || char === '{' ? 1 : -1;
    if (depth > env.budget.limits.maxDepth * 10) throw refuse('the JSON is nested too deeply');
  }
}

const writer = (options: JsonOptions) =>
  fn(['any'], ([value], env) => orElse('', () => toJson(value, options, env.budget)));
const strictWriter = (options: JsonOptions) => fn(['any'], ([value], env) => toJson(value, options, env.budget));

/** Sprig's functions on JSON. */
export const jsonFunctions: FunctionTable = {
  toJson: writer(compact),
  toPrettyJson: writer(pretty),
  toRawJson: strictWriter(raw),
  mustToJson: strictWriter(compact),
  mustToPrettyJson: strictWriter(pretty),
  mustToRawJson: strictWriter(raw),
  fromJson: fn(['string'], ([text], env) => orElse(null, () => parse(text, env))),
  mustFromJson: fn(['string'], ([text], env) => parse(text, env)),
};
