import type { Report } from '../diagnostic.ts';
import type { EnvVariable } from '../../domain/step.ts';
import { readShellLine } from '../shell/words.ts';
import type { Located } from '../yaml/fields.ts';
import type { TaskEnvItem } from './scope.ts';

/** A step's environment, and the same as the words that `docker run --env` is given. */
export interface StepEnv {
  readonly variables: readonly EnvVariable[];
  readonly words: readonly string[];
}

const anotherVariable = /,(?=[A-Za-z_][A-Za-z0-9_]*=)/;

/**
 * Reads the items of a task's `env`. Like the original, an item is split at commas that another `NAME=` follows; other commas belong to
 * the value, where the original refuses them.
 */
export function readTaskEnv(items: readonly Located<string>[], report: Report): readonly TaskEnvItem[] {
  return items.flatMap(({ value: item, at }) =>
    item.split(anotherVariable).flatMap((part, index) => {
      const equals = part.indexOf('=');
      if (equals < 1) {
        report.error(at, 'env', `env takes NAME=value, and this is ${JSON.stringify(part.slice(0, 60))}`);
        return [];
      }
      if (index === 1)
        report.warn(at, 'env', 'a comma with NAME= after it begins another variable here', 'write an item for each');
      return [{ name: part.slice(0, equals), value: unquote({ value: part.slice(equals + 1), at }, report), at }];
    }),
  );
}

/**
 * The value as the original's host shell leaves it: quotes around it are removed. What that shell would split or expand is kept as it is,
 * because nothing here is a host's shell, and a warning says so.
 */
function unquote({ value, at }: Located<string>, report: Report): string {
  if (!/["'\\$`\s;&|<>()#]/.test(value)) return value;
  const read = readShellLine(value, () => undefined);
  if (!read.ok) {
    report.warn(at, 'quotes', `${read.fault.message} in this value of env; it is taken as it stands`);
    return value;
  }
  const { tokens, variables, substitutions } = read.line;
  const [first] = tokens;
  const isOneWord = tokens.length === 1 && first?.kind === 'word';
  if (variables.length === 0 && substitutions.length === 0)
    return isOneWord && first.end === value.length ? first.text : value;
  report.warn(
    at,
    'env',
    'a $ in a value of env stays as it is; the original fills it in from its own host',
    'put the value into single quotes',
  );
  return value;
}

/** A step's own items; those without a value are for `docker run` to inherit from a host, which there is none of here. */
function readStepItem(
  item: Located<string>,
  hasTaskEnv: boolean,
  report: Report,
): { variable?: EnvVariable; word?: string } {
  const { value: text, at } = item;
  const equals = text.indexOf('=');
  if (equals > 0) {
    const value = unquote({ value: text.slice(equals + 1), at }, report);
    return { variable: { name: text.slice(0, equals), value }, word: `${text.slice(0, equals)}=${value}` };
  }
  if (equals === 0 || text === '' || hasTaskEnv) {
    report.error(at, 'env', `env takes NAME=value, and this is ${JSON.stringify(text.slice(0, 60))}`);
    return {};
  }
  report.warn(
    at,
    'env',
    `"${text.slice(0, 60)}" has no value, and there is no host to take one from`,
    'write NAME=value',
  );
  return { word: text };
}

/** Merges a step's `env` with its task's: the step's come first and win. */
export function mergeEnv(own: readonly Located<string>[], task: readonly TaskEnvItem[], report: Report): StepEnv {
  const items = own.map((item) => readStepItem(item, task.length > 0, report));
  const names = new Set(items.map(({ variable }) => variable?.name));
  const added = task.filter(({ name }) => !names.has(name)).map(({ name, value }) => ({ name, value }));
  return {
    variables: [...items.flatMap(({ variable }) => (variable === undefined ? [] : [variable])), ...added],
    words: [
      ...items.flatMap(({ word }) => (word === undefined ? [] : [word])),
      ...added.map(({ name, value }) => `${name}=${value}`),
    ],
  };
}
