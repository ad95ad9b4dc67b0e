import type { Argument } from '../../domain/run-request.ts';
import { isImageName } from './image-name.ts';
import { suggest } from '../../domain/nearest.ts';
import type { EnvVariable, PassedOption, BuildStep } from '../../domain/step.ts';
import { buildFlagNames, findBuildFlag, type BuildFlag } from '../shell/build-flags.ts';
import { needsShell, unsetVariables } from '../shell/commands.ts';
import { readFlags, type FlagLine, type GivenFlag } from '../shell/flags.ts';
import { readShellLine } from '../shell/words.ts';
import type { Located } from '../yaml/fields.ts';
import { readContext } from './build-context.ts';
import { refuseInFlags } from './outputs.ts';
import type { TaskScope } from './scope.ts';

type Parsed = Pick<
  BuildStep,
  | 'build'
  | 'context'
  | 'dockerfile'
  | 'tags'
  | 'arguments'
  | 'labels'
  | 'target'
  | 'platform'
  | 'noCache'
  | 'pull'
  | 'options'
>;

type Given = readonly GivenFlag<BuildFlag>[];

const fieldFlags = new Set(['file', 'tag', 'build-arg', 'label', 'target', 'platform', 'no-cache', 'pull']);

/** Flags whose values may be outputs. */
const readingFlags = new Set('tag build-arg label target platform file cache-from'.split(' '));

/** What a build string's words are taken from. */
export interface BuildSource {
  readonly build: Located<string>;
  readonly env: readonly EnvVariable[];
}

function takeWords({ build, env }: BuildSource, { report }: TaskScope): FlagLine<BuildFlag> | undefined {
  const values = new Map(env.map(({ name, value }) => [name, value]));
  const read = readShellLine(build.value, (name) => values.get(name));
  if (!read.ok) {
    report.error(build.at, 'quotes', `${read.fault.message} in build`);
    return undefined;
  }
  if (needsShell(read.line)) {
    const hint =
      'build takes the flags and the context of `docker build`; put a value with such characters into quotes';
    report.error(
      build.at,
      'shell',
      'build has | & ; < > ( ) or $( ) outside quotes, which the original runs on its own host',
      hint,
    );
    return undefined;
  }
  for (const name of unsetVariables(read.line))
    report.warn(build.at, 'variable', `$${name} has no value here, and is empty`, 'put a literal $ into single quotes');
  return readFlags(
    read.line.tokens.filter(({ kind }) => kind === 'word'),
    { find: findBuildFlag, names: buildFlagNames, stopAtFirst: false },
  );
}

/** Says what is wrong with the flags; true when the step cannot be built. */
function checkFlags(
  { given, unknown, withoutValue, rest }: FlagLine<BuildFlag>,
  at: number,
  { report }: TaskScope,
): void {
  for (const { written } of unknown)
    report.warn(
      at,
      'unknown-flag',
      `docker build has no flag ${written.slice(0, 60)}; it is ignored`,
      suggest(written, buildFlagNames),
    );
  if (withoutValue !== undefined) report.error(at, 'flag', `${withoutValue.written} in build has no value`);
  for (const { flag, written } of given)
    if (flag.refused !== undefined) report.error(at, 'flag', `${written} cannot be used here: ${flag.refused}`);
  refuseInFlags(given, readingFlags, at, report);
  if (rest.length > 1) {
    const words = rest.map(({ text }) => JSON.stringify(text.slice(0, 40))).slice(0, 4);
    report.error(
      at,
      'context',
      `build takes one context, and has ${words.join(', ')}`,
      'put quotes around a value with spaces',
    );
  }
  if (rest.length === 0) report.warn(at, 'context', 'build names no context; "." is taken', 'end it with " ."');
  if (rest[0]?.text === '-')
    report.error(at, 'context', 'a build step has no standard input; its context cannot be "-"', 'use "." or a URL');
}

function valuesOf(given: Given, name: string): readonly string[] {
  return given.flatMap(({ flag, value }) => (flag.name === name && value !== undefined ? [value] : []));
}

function readPair(text: string): EnvVariable {
  const equals = text.indexOf('=');
  return equals < 0 ? { name: text, value: '' } : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** `--build-arg NAME` alone takes the value of the step's environment, as the docker client does; without one it is left out. */
function readArguments(given: Given, { build, env }: BuildSource, { report }: TaskScope): readonly Argument[] {
  return valuesOf(given, 'build-arg').flatMap((text) => {
    if (text.includes('=')) return [{ ...readPair(text), isSecret: false }];
    const variable = env.find(({ name }) => name === text);
    if (variable !== undefined) return [{ ...variable, isSecret: false }];
    report.warn(
      build.at,
      'build-arg',
      `--build-arg ${text.slice(0, 60)} has no value, and the step's env has none for it`,
      'write NAME=value',
    );
    return [];
  });
}

function checkTags(tags: readonly string[], at: number, { report }: TaskScope): void {
  for (const tag of tags)
    if (!isImageName(tag))
      report.warn(at, 'image-name', `${JSON.stringify(tag.slice(0, 120))} is no image name; the build will fail`);
}

function last(values: readonly string[]): string | undefined {
  return values.at(-1);
}

function readOptions(given: Given): readonly PassedOption[] {
  return given
    .filter(({ flag }) => !fieldFlags.has(flag.name) && flag.isIgnored !== true && flag.refused === undefined)
    .map(({ flag, value }) => ({ name: flag.name, ...(value !== undefined && { value }) }));
}

/**
 * Reads the string of a build step: the words of a `docker build` command line, taken apart by a POSIX shell's rules. Where the original
 * looks at words between blanks only, plain strings mean the same; quotes, `--flag=value` and paths with spaces work here.
 */
export function readBuild(source: BuildSource, scope: TaskScope): Parsed {
  const { build } = source;
  const taken = takeWords(source, scope);
  if (taken !== undefined) checkFlags(taken, build.at, scope);
  const line = taken ?? { given: [], rest: [], unknown: [] };
  const { given } = line;
  const tags = valuesOf(given, 'tag');
  checkTags(tags, build.at, scope);
  const dockerfile = last(valuesOf(given, 'file'));
  const target = last(valuesOf(given, 'target'));
  const platform = last(valuesOf(given, 'platform'));
  return {
    build: build.value,
    context: readContext(line.rest[0]?.text ?? '.'),
    ...(dockerfile !== undefined && { dockerfile }),
    tags,
    arguments: readArguments(given, source, scope),
    labels: valuesOf(given, 'label').map(readPair),
    ...(target !== undefined && { target }),
    ...(platform !== undefined && { platform }),
    noCache: given.some(({ flag }) => flag.name === 'no-cache'),
    pull: given.some(({ flag }) => flag.name === 'pull'),
    options: readOptions(given),
  };
}
