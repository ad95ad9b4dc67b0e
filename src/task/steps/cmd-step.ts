import { posix } from 'node:path';
import type { EnvVariable, PassedOption, CmdStep, VolumeMount } from '../../domain/step.ts';
import type { GivenFlag } from '../shell/flags.ts';
import type { RunFlag } from '../shell/run-flags.ts';
import { readCmd, type ParsedCmd } from './cmd.ts';
import { mergeEnv, type StepEnv } from './env.ts';
import { volumeOfFlag } from './run-volumes.ts';
import type { StepFields, TaskScope } from './scope.ts';
import { secureCommands } from './secure-cmd.ts';
import { isOn, textOf, textsOf, valueOr, type Located } from '../yaml/fields.ts';

/** Where a run's workspace is mounted in each step. */
export const workspacePath = '/workspace';

/** A step's working directory as an absolute path: relative ones are below the workspace. */
export function resolveDirectory(path: string): string {
  return posix.resolve(workspacePath, path);
}

type CmdPart = Omit<
  CmdStep,
  'id' | 'index' | 'line' | 'needs' | 'runOn' | 'timeoutSeconds' | 'startDelaySeconds' | 'ignoreErrors' | 'attempts'
>;

type Flags = readonly GivenFlag<RunFlag>[];

function lastOf(flags: Flags, ...names: readonly string[]): string | undefined {
  return flags.findLast(({ flag }) => names.includes(flag.name))?.value;
}

function allOf(flags: Flags, name: string): readonly string[] {
  return flags.flatMap(({ flag, value }) => (flag.name === name && value !== undefined ? [value] : []));
}

/** Flags that have a field in the plan, or that mean nothing here. */
const settled = new Set([
  'detach', 'entrypoint', 'env', 'expose', 'isolation', 'cpus', 'memory', 'network', 'net', 'privileged', 'publish', 'rm', 'user', 'volume',
  'workdir', 'restart', 'pull',
]); // prettier-ignore

function readOptions(flags: Flags): readonly PassedOption[] {
  return flags
    .filter(({ flag }) => !settled.has(flag.name) && flag.isIgnored !== true && flag.refused === undefined)
    .map(({ flag, value }) => ({ name: flag.name, ...(value !== undefined && { value }) }));
}

function pair(text: string): EnvVariable | undefined {
  const equals = text.indexOf('=');
  return equals < 1 ? undefined : { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** The step's variables with those of `-e` flags, which come later on the command line and so win. */
function joinEnv(env: StepEnv, flags: Flags): readonly EnvVariable[] {
  const all = new Map(env.variables.map(({ name, value }) => [name, value]));
  for (const text of allOf(flags, 'env')) {
    const variable = pair(text);
    if (variable === undefined) continue;
    all.delete(variable.name);
    all.set(variable.name, variable.value);
  }
  return [...all].map(([name, value]) => ({ name, value }));
}

function flagWords(name: string, values: readonly (string | undefined)[]): readonly string[] {
  return values.flatMap((value) => (value === undefined || value === '' ? [] : [name, value]));
}

/** What goes into the words of `docker run` besides those of `cmd`. */
interface RunWords {
  readonly fields: StepFields;
  readonly network: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly mounts: readonly VolumeMount[];
  readonly env: StepEnv;
}

/** The words that the original puts before those of `cmd`, in its order (acr-tasks.md §1.4). */
function writeRunWords({ fields, network, workingDirectory, mounts, env }: RunWords): readonly string[] {
  const isElsewhere = workingDirectory !== workspacePath;
  const mounted = mounts.map(({ volume, path }) => `${volume}:${path}`);
  return [
    ...(isOn(fields.keep) ? [] : ['--rm']),
    ...(isOn(fields.detach) ? ['--detach'] : []),
    ...flagWords('-p', textsOf(fields.ports)),
    ...flagWords('--expose', textsOf(fields.expose)),
    ...(isOn(fields.privileged) ? ['--privileged'] : []),
    ...flagWords('--user', [textOf(fields.user)]),
    ...flagWords('--network', [network]),
    ...flagWords('--isolation', [textOf(fields.isolation)]),
    ...flagWords('--cpus', [textOf(fields.cpus)]),
    ...flagWords('--memory', [textOf(fields.memory)]),
    ...flagWords('--entrypoint', [textOf(fields.entryPoint)]),
    ...flagWords('--volume', mounted),
    ...flagWords('--env', env.words),
    ...flagWords('--workdir', [isElsewhere ? workingDirectory : undefined]),
  ];
}

/** Texts that may stand in a step and in the flags of its cmd, by the flag's name; the flag wins. */
const sharedTexts = {
  entryPoint: 'entrypoint',
  user: 'user',
  isolation: 'isolation',
  cpus: 'cpus',
  memory: 'memory',
} as const;

function readTexts(fields: StepFields, flags: Flags): Partial<CmdPart> {
  const keys = Object.keys(sharedTexts) as (keyof typeof sharedTexts)[];
  return Object.fromEntries(
    keys.flatMap((key) => {
      const text = lastOf(flags, sharedTexts[key]) ?? textOf(fields[key]);
      return text === undefined ? [] : [[key, text]];
    }),
  );
}

/** The directory that the step's own keys give, and the one that is used: a flag of its cmd comes later and wins. */
function readDirectory(
  fields: StepFields,
  flags: Flags,
  scope: TaskScope,
): { own?: string; workingDirectory?: string } {
  const isOff = isOn(fields.disableWorkingDirectoryOverride);
  const own = isOff ? undefined : resolveDirectory(textOf(fields.workingDirectory) ?? scope.workingDirectory);
  const flag = lastOf(flags, 'workdir');
  const used = flag === undefined ? own : resolveDirectory(flag);
  return { ...(own !== undefined && { own }), ...(used !== undefined && { workingDirectory: used }) };
}

type Switches = Pick<CmdPart, 'privileged' | 'detach' | 'keep' | 'pull' | 'pullRetries' | 'pullRetryDelaySeconds'>;

function readSwitches(fields: StepFields, flags: Flags): Switches {
  const has = (name: string): boolean => flags.some(({ flag }) => flag.name === name);
  return {
    privileged: isOn(fields.privileged) || has('privileged'),
    detach: isOn(fields.detach) || has('detach'),
    keep: isOn(fields.keep),
    pull: isOn(fields.pull) || lastOf(flags, 'pull') === 'always',
    pullRetries: Math.max(0, valueOr(fields.cmdDownloadRetries, 0)),
    pullRetryDelaySeconds: Math.max(0, valueOr(fields.cmdDownloadRetryDelay, 0)),
  };
}

const nothing: ParsedCmd = { flags: [], image: '', arguments: [], usesEngine: false, words: [] };

/** What a cmd step is made of. */
export interface CmdStepSource {
  readonly cmd: Located<string>;
  readonly fields: StepFields;
  readonly network: string | undefined;
  readonly mounts: readonly VolumeMount[];
}

/** Makes the part of a cmd step that only cmd steps have. After an error it is made of what could be read. */
export function makeCmdStep({ cmd, fields, network, mounts }: CmdStepSource, scope: TaskScope): CmdPart {
  const env = mergeEnv(valueOr(fields.env, []), scope.env, scope.report);
  const { flags, words, ...parsed } = readCmd({ cmd, env: env.variables }, scope) ?? nothing;
  const volumes = allOf(flags, 'volume').map((text) => volumeOfFlag(text, cmd.at, scope));
  const { own, ...directory } = readDirectory(fields, flags, scope);
  const usedNetwork = lastOf(flags, 'network', 'net') ?? network;
  const secured = secureCommands({ ...parsed, ...readTexts(fields, flags) }, cmd.at, scope.report);
  return {
    kind: 'cmd',
    cmd: cmd.value,
    ...parsed,
    ...readTexts(fields, flags),
    ...secured.commands,
    usesEngine: parsed.usesEngine || volumes.includes('engine'),
    env: [...joinEnv(env, flags), ...secured.env],
    ...directory,
    ports: [...textsOf(fields.ports), ...allOf(flags, 'publish')],
    expose: [...textsOf(fields.expose), ...allOf(flags, 'expose')],
    ...readSwitches(fields, flags),
    volumeMounts: [...mounts, ...volumes.filter((volume) => typeof volume === 'object')],
    options: readOptions(flags),
    ...(usedNetwork !== undefined && { network: usedNetwork }),
    container: [...writeRunWords({ fields, network, workingDirectory: own, mounts, env }), ...words],
  };
}
