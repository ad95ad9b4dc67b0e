import { textField, numberField, objectField } from '../json-lines.ts';
import { labels, type RunScope } from '../scope.ts';
import { isObject } from './fields.ts';
import type { RunNames } from './names.ts';
import { missing, wrong } from './refusal.ts';

/** A container of the run, as steps see it. */
export interface OwnContainer {
  readonly id: string;
  /** What the engine calls it. */
  readonly engineName: string;
  /** What steps call it: the name that one gave it, or the id of the step that it is. */
  readonly name: string;
  /** The step whose own container it is. */
  readonly step: string | undefined;
  /** Seconds since the epoch. */
  readonly created: number;
}

/** A network or volume of the run. */
export interface OwnThing {
  /** The engine's id; a volume's is its name. */
  readonly id: string;
  readonly engineName: string;
  readonly name: string;
}

/** What a run has on the engine: what carries its labels. Asked anew each time, so that nothing is believed that is no longer so. */
export interface RunObjects {
  containers(): Promise<readonly OwnContainer[]>;
  networks(): Promise<readonly OwnThing[]>;
  volumes(): Promise<readonly OwnThing[]>;
}

function listOf(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? (answer as unknown[]) : [];
}

function nameOfContainer(thing: unknown): string {
  const all = listOf(objectField(thing, 'Names')).filter((name) => typeof name === 'string');
  // Others stand there too: those under which linked containers know it, with a slash inside.
  return all.map((name) => name.replace(/^\//, '')).find((name) => !name.includes('/')) ?? '';
}

function readContainer(thing: unknown, names: RunNames): OwnContainer {
  const engineName = nameOfContainer(thing);
  const step = textField(objectField(thing, 'Labels'), labels.step);
  const isStep = step !== undefined && step !== '' && !names.isOfStep(engineName);
  return {
    id: textField(thing, 'Id') ?? '',
    engineName,
    name: isStep ? step : names.toStep(engineName),
    step: isStep ? step : undefined,
    created: numberField(thing, 'Created'),
  };
}

/** The labels that everything of a run has, whatever attempt made it. */
export function runLabels({ installation, setup }: RunScope): Readonly<Record<string, string>> {
  return { [labels.installation]: installation, [labels.run]: setup.runId };
}

/** Looks at what a run has on the engine: by its labels, and for containers by their names as well. */
export function createRunObjects(scope: RunScope, names: RunNames): RunObjects {
  const filters = JSON.stringify({
    label: Object.entries(runLabels(scope)).map(([name, value]) => `${name}=${value}`),
  });
  const ask = (path: string): Promise<unknown> =>
    scope.engine.json({ method: 'GET', path, query: { filters, all: '1' } });
  const readThing = (thing: unknown, id: string): OwnThing => {
    const engineName = textField(thing, 'Name') ?? '';
    return { id: textField(thing, id) ?? engineName, engineName, name: names.toStep(engineName) };
  };
  return {
    containers: async () =>
      listOf(await ask('/containers/json'))
        .map((thing) => readContainer(thing, names))
        .filter(({ engineName }) => names.isOfRun(engineName)),
    networks: async () => listOf(await ask('/networks')).map((thing) => readThing(thing, 'Id')),
    volumes: async () =>
      listOf(objectField(await ask('/volumes'), 'Volumes'))
        .filter(isObject)
        .map((thing) => readThing(thing, 'Name')),
  };
}

/** Things whose id begins like this; the engine takes any beginning that is one thing's alone. */
function byId<T extends { readonly id: string }>(things: readonly T[], name: string): readonly T[] {
  return /^[0-9a-f]{4,64}$/.test(name) ? things.filter(({ id }) => id.startsWith(name)) : [];
}

/**
 * The container that a step means: one that a step named so, then the newest container of the step with that id, then one with that id or
 * beginning of an id.
 * @throws `not-found`, and `invalid-request` when it could be several.
 */
export function findContainer(all: readonly OwnContainer[], written: string): OwnContainer {
  const name = written.replace(/^\//, '');
  const named =
    all.find((one) => one.step === undefined && one.name === name) ?? all.find(({ engineName }) => engineName === name);
  if (named) return named;
  const steps = all.filter(({ step }) => step === name).sort((one, other) => other.created - one.created);
  const found = steps[0] === undefined ? byId(all, name) : [steps[0]];
  if (found.length > 1) throw wrong(`Multiple IDs found with provided prefix: ${name}`);
  if (found[0] === undefined) throw missing('container', name);
  return found[0];
}

/**
 * The network or volume that a step means.
 * @throws `not-found`, and `invalid-request` when it could be several.
 */
export function findThing(kind: string, all: readonly OwnThing[], name: string): OwnThing {
  const named = all.find((one) => one.name === name || one.engineName === name);
  const found = named === undefined ? byId(all, name) : [named];
  if (found.length > 1) throw wrong(`Multiple IDs found with provided prefix: ${name}`);
  if (found[0] === undefined) throw missing(kind, name);
  return found[0];
}
