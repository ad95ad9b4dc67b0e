import type { Report } from '../diagnostic.ts';
import type { Limits } from '../limits.ts';
import { taskKeys, taskMistakes } from '../keys.ts';
import { mayHaveOutputs } from '../../domain/output-reference.ts';
import type { Plan } from '../../domain/step.ts';
import { defaultVersion, isTaskVersion, taskVersions } from '../text/version.ts';
import { suggest } from '../../domain/nearest.ts';
import { readFields, readMap, textOf, valueOr, type Fields } from '../yaml/fields.ts';
import type { YamlNode } from '../yaml/tree.ts';
import { readTaskEnv } from './env.ts';
import { readNetworks } from './networks.ts';
import type { TaskScope } from './scope.ts';
import { refuseMisplaced } from './outputs.ts';
import { readSecrets } from './secrets.ts';
import { readRawSteps, readSteps } from './steps.ts';
import { readVolumes } from './volumes.ts';

/** What a task is given from outside its file. */
export interface TaskDefaults {
  readonly limits: Limits;
  /** The rendered text, which offsets are into. */
  readonly text: string;
  /** Aliases for the first word of `cmd`; empty in versions without them. */
  readonly aliases: ReadonlyMap<string, string>;
  /** For tasks that name none. */
  readonly workingDirectory?: string | undefined;
  /** `NAME=value` for all steps; the task's own win. */
  readonly env?: readonly string[] | undefined;
  /** A network that exists already, and becomes the default. */
  readonly network?: string | undefined;
  /** The file's line of an offset. */
  readonly lineOf: (at: number) => number;
}

const stepTimeoutSeconds = 600;

function readVersion({ version }: Fields<typeof taskKeys>, report: Report): string {
  if (version === undefined || version.value === '') return defaultVersion;
  if (!isTaskVersion(version.value)) {
    const hint = suggest(version.value, taskVersions) ?? `the versions are ${taskVersions.join(', ')}`;
    report.error(
      version.at,
      'version',
      `there is no version ${JSON.stringify(version.value.slice(0, 40))} of the task language`,
      hint,
    );
  }
  return version.value;
}

/** The task's variables, and those from outside that it does not have itself. */
function joinEnv(fields: Fields<typeof taskKeys>, outside: readonly string[], report: Report): TaskScope['env'] {
  const own = readTaskEnv(valueOr(fields.env, []), report);
  const taken = new Set(own.map(({ name }) => name));
  const outer = readTaskEnv(
    outside.map((value) => ({ value, at: 0 })),
    report,
  );
  return [...own, ...outer.filter(({ name }) => !taken.has(name))];
}

function scopeOf(
  fields: Fields<typeof taskKeys>,
  defaults: TaskDefaults,
  report: Report,
): TaskScope & Pick<Plan, 'volumes'> {
  const { networks, defaultNetwork } = readNetworks(fields.networks?.value, defaults.network, report);
  const { volumes, names } = readVolumes(fields.volumes?.value, report);
  const timeout = valueOr(fields.stepTimeout, 0);
  const { limits, lineOf, aliases, text } = defaults;
  return {
    report,
    text,
    limits,
    lineOf,
    stepTimeout: timeout > 0 ? timeout : stepTimeoutSeconds,
    workingDirectory: textOf(fields.workingDirectory) ?? defaults.workingDirectory ?? '',
    env: joinEnv(fields, defaults.env ?? [], report),
    networks,
    defaultNetwork,
    volumes,
    volumeNames: names,
    aliases,
  };
}

/**
 * Reads a whole task and plans it. Everything is looked at, so that all faults are reported at once; the plan is only good when `report` has no
 * errors afterwards.
 */
export function readTask(root: YamlNode | undefined, defaults: TaskDefaults, report: Report): Plan | undefined {
  const whole = root === undefined ? undefined : readMap(root, 'a task', report);
  if (whole === undefined) return undefined;
  const map = mayHaveOutputs(defaults.text) ? refuseMisplaced(whole, new Set(['steps']), report) : whole;
  const fields = readFields(map, { table: taskKeys, of: 'a task', mistakes: taskMistakes }, report);
  const version = readVersion(fields, report);
  const scope = scopeOf(fields, defaults, report);
  const raw = readRawSteps(fields.steps?.value, scope);
  if (raw.length === 0 && !report.hasErrors())
    report.warn(map.at, 'step', 'this task has no steps, and so does nothing');
  if (fields.alias !== undefined)
    report.warn(
      fields.alias.at,
      'alias',
      `aliases need version v1.1.0, and this is ${version}`,
      'write version: v1.1.0 at the top',
    );
  return {
    version,
    steps: readSteps(raw, scope),
    networks: scope.networks,
    volumes: scope.volumes,
    secrets: readSecrets(fields.secrets?.value, report),
  };
}

/** Reads nothing but the secrets of a task; faults elsewhere are left for {@link readTask}. */
export function readTaskSecrets(root: YamlNode | undefined, report: Report): Plan['secrets'] {
  if (root?.kind !== 'map') return [];
  const entry = root.entries.findLast(({ key }) => key === 'secrets');
  return entry === undefined || (entry.value.kind === 'scalar' && entry.value.text === '')
    ? []
    : readSecrets(entry.value, report);
}
