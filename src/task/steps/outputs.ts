import {
  findOutputs,
  formatOutput,
  mayHaveOutputs,
  outputPlaceholder,
  type OutputReference,
} from '../../domain/output-reference.ts';
import type { Step, StepId } from '../../domain/step.ts';
import type { Report } from '../diagnostic.ts';
import { suggest } from '../../domain/nearest.ts';
import type { YamlEntry, YamlMap, YamlNode } from '../yaml/tree.ts';
import type { RawStep, TaskScope } from './scope.ts';

/** The keys of a step whose texts may name outputs: what is used when the step starts, and shapes nothing before. */
export const readingKeys: ReadonlySet<string> = new Set([
  'cmd', 'build', 'push', 'env', 'workingDirectory', 'entryPoint', 'user', 'cpus', 'memory', 'ports', 'expose',
]); // prettier-ignore

/** What a push step gives; see `engine/outputs.ts`. */
const pushOutputs = ['digest', 'digests', 'image'];

const whereAllowed =
  'outputs can stand in cmd, build, push, env, workingDirectory, entryPoint, user, cpus, memory, ports and expose of a step';

function textsIn(node: YamlNode): readonly string[] {
  switch (node.kind) {
    case 'scalar':
      return [node.text];
    case 'list':
      return node.items.flatMap(textsIn);
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, ...textsIn(value)]);
  }
}

function isMisplaced({ key, value }: YamlEntry, allowed: ReadonlySet<string>): boolean {
  return !allowed.has(key) && textsIn(value).some((text) => findOutputs(text).length > 0);
}

/** Refuses outputs in the values of other keys than the allowed ones; the map without these keys. */
export function refuseMisplaced(map: YamlMap, allowed: ReadonlySet<string>, report: Report): YamlMap {
  const misplaced = map.entries.filter((entry) => isMisplaced(entry, allowed));
  for (const { key, value } of misplaced)
    report.error(value.at, 'output', `an output cannot stand in ${JSON.stringify(key.slice(0, 60))}`, whereAllowed);
  return misplaced.length === 0 ? map : { ...map, entries: map.entries.filter((entry) => !misplaced.includes(entry)) };
}

/** A flag as far as it matters here. */
interface Given {
  readonly flag: { readonly name: string };
  readonly written: string;
  readonly value?: string;
}

/** Refuses outputs in the values of flags that shape more than the step's own container or image. */
export function refuseInFlags(given: readonly Given[], allowed: ReadonlySet<string>, at: number, report: Report): void {
  for (const { flag, written, value = '' } of given)
    if (mayHaveOutputs(value) && !allowed.has(flag.name))
      report.error(at, 'output', `an output cannot stand in ${written}`, whereAllowed);
}

/** The steps of a task by their ids, for questions about who waits for whom. */
type Graph = ReadonlyMap<string, Step>;

function isAncestor(graph: Graph, ancestor: string, of: Step): boolean {
  const seen = new Set<StepId>();
  const open = [...of.needs];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === ancestor) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(graph.get(id)?.needs ?? []));
  }
  return false;
}

type Judgement = readonly [message: string, hint?: string | undefined];

/** Why a step has no output of that name. */
function judgeName(giver: Step, name: string): Judgement | undefined {
  const { kind, id } = giver;
  switch (kind) {
    case 'build':
      return [`step "${id}" is a build, and has no outputs`, `a push step has them: ${pushOutputs.join(', ')}`];
    case 'push':
      if (pushOutputs.includes(name)) return undefined;
      return [`step "${id}" is a push, and has no output "${name}"`, `it has ${pushOutputs.join(', ')}`];
    case 'cmd':
      return giver.detach ? [`step "${id}" is detached, and has no outputs`] : undefined;
  }
}

function judge({ step: id, name }: OutputReference, reader: Step, graph: Graph): Judgement | undefined {
  const giver = graph.get(id);
  if (giver === undefined) return [`there is no step "${id.slice(0, 60)}"`, suggest(id, graph.keys())];
  if (giver === reader) return [`step "${id}" cannot read its own outputs`];
  if (!isAncestor(graph, id, reader)) {
    const hint = giver.index > reader.index ? 'move it above' : `add "${id}" to the step's when`;
    return [`step "${reader.id}" does not wait for step "${id}", and so cannot read its outputs`, hint];
  }
  return judgeName(giver, name);
}

/** The outputs that stand in a step's texts, each once. */
function readsOf(step: Step): readonly OutputReference[] {
  const reads = findOutputs(JSON.stringify(step));
  return [...new Map(reads.map((read) => [outputPlaceholder(read), read])).values()];
}

/**
 * Notes for every step which outputs of others it reads, and for those which of theirs are read; a reference to an output that cannot be there
 * when the step starts is an error.
 */
export function linkOutputs(steps: readonly Step[], raw: readonly RawStep[], scope: TaskScope): readonly Step[] {
  const { text, report } = scope;
  if (!mayHaveOutputs(text)) return steps;
  const graph = new Map(steps.map((step) => [step.id as string, step]));
  const starts = new Map(raw.map(({ index, at }) => [index, at]));
  const wanted = new Map<string, Set<string>>();
  const linked = steps.map((step) => {
    const reads = readsOf(step);
    const start = starts.get(step.index) ?? 0;
    for (const read of reads) {
      const fault = judge(read, step, graph);
      const place = text.indexOf(outputPlaceholder(read), start);
      const [message, hint] = fault ?? [];
      if (message !== undefined)
        report.error(place < 0 ? start : place, 'output', `${formatOutput(read)}: ${message}`, hint);
      wanted.set(read.step, (wanted.get(read.step) ?? new Set()).add(read.name));
    }
    return reads.length === 0 ? step : { ...step, reads };
  });
  return linked.map((step) => {
    const names = wanted.get(step.id);
    return names === undefined ? step : { ...step, outputs: [...names] };
  });
}
