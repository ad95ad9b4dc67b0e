import { mayHaveOutputs } from '../../domain/output-reference.ts';
import type { AttemptPolicy, BuildStep, RunOn, Step, StepId } from '../../domain/step.ts';
import { stepKeys, stepKeysByKind, stepMistakes, type StepKey } from '../keys.ts';
import { suggest } from '../../domain/nearest.ts';
import { isNothing, isOn, readFields, readList, readMap, textOf, valueOr, type Located } from '../yaml/fields.ts';
import type { YamlNode } from '../yaml/tree.ts';
import type { Report } from '../diagnostic.ts';
import { readBuild } from './build.ts';
import { makeCmdStep, resolveDirectory } from './cmd-step.ts';
import { mergeEnv } from './env.ts';
import { checkIds, readId, readNeeds } from './graph.ts';
import { linkOutputs, readingKeys, refuseMisplaced } from './outputs.ts';
import { readPush } from './push.ts';
import type { RawStep, StepFields, TaskScope } from './scope.ts';
import { readMounts } from './volumes.ts';

type Kind = Step['kind'];

function isKind(key: string): key is Kind {
  return key === 'build' || key === 'push' || key === 'cmd';
}

const runOns: readonly RunOn[] = ['success', 'failure', 'always'];

/** Reads the list of steps as far as their keys and ids. */
export function readRawSteps(node: YamlNode | undefined, { limits, text, report }: TaskScope): readonly RawStep[] {
  const limit = limits.steps;
  const items = node === undefined ? [] : (readList(node, 'steps', report)?.items ?? []);
  const over = items[limit];
  if (over !== undefined)
    report.error(over.at, 'limit', `a task has at most ${limit} steps, and this one has ${items.length}`);
  const steps = items.slice(0, limit).flatMap((item, index) => {
    if (item.kind === 'scalar' && item.text === '') {
      report.error(item.at, 'step', 'this step is empty', 'remove the "-"');
      return [];
    }
    const whole = readMap(item, 'a step', report);
    if (whole === undefined) return [];
    const map = mayHaveOutputs(text) ? refuseMisplaced(whole, readingKeys, report) : whole;
    const fields = readFields(map, { table: stepKeys, of: 'a step', mistakes: stepMistakes }, report);
    const isUnreadable = map.entries.some(
      ({ key, value }) => isKind(key) && fields[key] === undefined && !isNothing(value),
    );
    return [
      { fields, at: map.entries[0]?.keyAt ?? map.at, index, id: readId({ fields, index }, report), isUnreadable },
    ];
  });
  checkIds(steps, report);
  return steps;
}

/** The one of build, push and cmd that a step has. */
function kindOf({ fields, at, isUnreadable }: RawStep, report: Report): Kind | undefined {
  const given: readonly (readonly [Kind, boolean])[] = [
    ['build', textOf(fields.build) !== undefined],
    ['push', valueOr(fields.push, []).length > 0],
    ['cmd', textOf(fields.cmd) !== undefined],
  ];
  const kinds = given.filter(([, isGiven]) => isGiven).map(([kind]) => kind);
  const [kind, second] = kinds;
  if (kind === undefined && !isUnreadable) report.error(at, 'step', 'a step needs one of "build", "push" and "cmd"');
  if (second !== undefined) {
    const message = `a step has one of "build", "push" and "cmd", and this one has ${kinds.join(' and ')}`;
    report.error(fields[second]?.at ?? at, 'step', message, 'make two steps of it');
  }
  return kind;
}

/** Limits of one step that keep a whole task quick to plan; false, after an error, for a step that is over one. */
function checkSize({ fields }: RawStep, kind: Kind, { limits, env, report }: TaskScope): boolean {
  const text = kind === 'push' ? undefined : fields[kind];
  const isTooLong = text !== undefined && text.value.length > limits.commandLength;
  if (isTooLong) report.error(text.at, 'limit', `${kind} is longer than ${limits.commandLength} characters`);
  const hasTooMany = (fields.env?.value.length ?? 0) + env.length > limits.variables;
  if (hasTooMany)
    report.error(fields.env?.at ?? 0, 'limit', `a step has at most ${limits.variables} variables in its environment`);
  return !isTooLong && !hasTooMany;
}

/** Warns of keys that do nothing in a step of this kind; `volumeMounts` on a push is an error, as the original has it. */
function checkKeys({ fields }: RawStep, kind: Kind, report: Report): void {
  for (const key of Object.keys(fields) as StepKey[]) {
    const kinds = stepKeysByKind[key];
    const at = fields[key]?.at ?? 0;
    if (kinds !== undefined && !kinds.includes(kind))
      report.warn(at, 'dead-key', `"${key}" does nothing in a ${kind} step; it is for ${kinds.join(' and ')} steps`);
  }
  if (kind === 'push' && fields.volumeMounts !== undefined)
    report.error(fields.volumeMounts.at, 'volume', 'a push step cannot have volumeMounts');
}

function countOf(field: Located<number> | undefined, name: string, report: Report): number {
  if (field === undefined || field.value >= 0) return field?.value ?? 0;
  report.error(field.at, 'range', `${name} must be 0 or more`);
  return 0;
}

function positiveOr(field: Located<number> | undefined, standard: number): number {
  return field === undefined || field.value <= 0 ? standard : field.value;
}

function readAttempts({ fields }: RawStep, report: Report): AttemptPolicy {
  return {
    retries: countOf(fields.retries, 'retries', report),
    retryDelaySeconds: positiveOr(fields.retryDelay, 5),
    retryOnErrors: (fields.retryOnErrors?.value ?? []).map(({ value }) => value),
    repeat: countOf(fields.repeat, 'repeat', report),
  };
}

function readRunOn({ fields: { runOn } }: RawStep, needs: readonly StepId[], report: Report): RunOn {
  const found = runOns.find((one) => one === runOn?.value.toLowerCase());
  if (runOn === undefined) return 'success';
  if (found === undefined)
    report.error(runOn.at, 'value', `runOn is one of ${runOns.join(', ')}`, suggest(runOn.value, runOns));
  if (found === 'failure' && needs.length === 0) {
    const hint = 'name the steps whose failure is meant in its when';
    report.warn(runOn.at, 'run-on', 'this step waits for no other, whose failure it could run on: it never runs', hint);
  }
  return found ?? 'success';
}

function codesOf(field: StepFields['exitedWith']): readonly number[] | undefined {
  return field === undefined || field.value.length === 0 ? undefined : field.value.map(({ value }) => value);
}

/** What steps of every kind have; of push steps too, where retries and the like do nothing. */
function makeBase(
  step: RawStep,
  needs: readonly StepId[],
  scope: TaskScope,
): Omit<Step & { kind: 'push' }, 'kind' | 'images' | 'line'> {
  const { fields, index, id } = step;
  const network = networkOf(step, scope);
  const exitedWith = codesOf(fields.exitedWith);
  const exitedWithout = codesOf(fields.exitedWithout);
  return {
    id: id as StepId,
    index,
    needs,
    runOn: readRunOn(step, needs, scope.report),
    ...(exitedWith !== undefined && { exitedWith }),
    ...(exitedWithout !== undefined && { exitedWithout }),
    timeoutSeconds: positiveOr(fields.timeout, scope.stepTimeout),
    startDelaySeconds: Math.max(0, fields.startDelay?.value ?? 0),
    ignoreErrors: fields.ignoreErrors?.value ?? false,
    ...(network !== undefined && { network }),
  };
}

const hostNetworks = ['host', 'none', 'bridge', 'default'];

function networkOf(
  { fields: { network } }: RawStep,
  { networks, defaultNetwork, report }: TaskScope,
): string | undefined {
  if (network === undefined || network.value === '') return defaultNetwork;
  const names = networks.map(({ name }) => name);
  const isKnown =
    names.includes(network.value) || hostNetworks.includes(network.value) || network.value.startsWith('container:');
  if (!isKnown) {
    const hint = suggest(network.value, [...names, ...hostNetworks]) ?? 'declare it with "networks"';
    report.warn(network.at, 'network', `the task declares no network "${network.value.slice(0, 60)}"`, hint);
  }
  return network.value;
}

function readCache({ fields: { cache } }: RawStep, report: Report): boolean {
  const value = cache?.value.toLowerCase() ?? '';
  if (cache !== undefined && !['', 'enabled', 'disabled'].includes(value))
    report.error(cache.at, 'value', 'cache is "enabled" or "disabled"', suggest(value, ['enabled', 'disabled']));
  return value === 'enabled';
}

type BuildPart = Omit<BuildStep, keyof ReturnType<typeof makeBase> | 'line' | 'attempts'>;

function makeBuildStep(step: RawStep, build: Located<string>, scope: TaskScope): BuildPart {
  const { fields } = step;
  const env = mergeEnv(valueOr(fields.env, []), scope.env, scope.report).variables;
  const cpus = textOf(fields.cpus);
  const memory = textOf(fields.memory);
  return {
    kind: 'build',
    ...readBuild({ build, env }, scope),
    cache: readCache(step, scope.report),
    workingDirectory: resolveDirectory(textOf(fields.workingDirectory) ?? scope.workingDirectory),
    env,
    detach: isOn(fields.detach),
    volumeMounts: readMounts(fields.volumeMounts?.value, scope.volumeNames, scope.report),
    ...(cpus !== undefined && { cpus }),
    ...(memory !== undefined && { memory }),
  };
}

/** Reads one step whole: its kind and its properties. */
function readStep(step: RawStep, needs: readonly StepId[], scope: TaskScope): Step | undefined {
  const { fields, at } = step;
  const kind = kindOf(step, scope.report);
  if (kind === undefined) return undefined;
  checkKeys(step, kind, scope.report);
  if (!checkSize(step, kind, scope)) return undefined;
  const base = { ...makeBase(step, needs, scope), line: scope.lineOf(at) };
  const attempts = readAttempts(step, scope.report);
  const none = { value: '', at };
  switch (kind) {
    case 'build':
      return { ...base, ...makeBuildStep(step, fields.build ?? none, scope), attempts };
    case 'push':
      return { ...base, kind, images: readPush(valueOr(fields.push, []), scope) };
    case 'cmd': {
      const mounts = readMounts(fields.volumeMounts?.value, scope.volumeNames, scope.report);
      const { network } = base;
      return { ...base, ...makeCmdStep({ cmd: fields.cmd ?? none, fields, network, mounts }, scope), attempts };
    }
  }
}

/** Reads every step, and its place in the graph. */
export function readSteps(raw: readonly RawStep[], scope: TaskScope): readonly Step[] {
  const needs = readNeeds(raw, scope.report);
  const steps = raw.flatMap((step, index) => readStep(step, needs[index] ?? [], scope) ?? []);
  return linkOutputs(steps, raw, scope);
}
