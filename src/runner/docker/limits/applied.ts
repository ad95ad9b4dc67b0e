import { fail } from '../../../domain/failure.ts';
import type { RunLimits } from '../../../domain/run-limits.ts';
import type { BuildStep, CmdStep, Plan, StepId } from '../../../domain/step.ts';
import { findAncestors } from '../meeting.ts';
import { parseBytes, parseCpus, parseWhole } from '../quantities.ts';
import type { Capacity } from './capacity.ts';
import { shareOut, type Sharer, type ShareFault, type Whole } from './shares.ts';

/** A step that is done in containers of its own. */
export type LimitedStep = CmdStep | BuildStep;

/** What a container may have. */
export interface ContainerLimits {
  /** Undefined: as much as there is. */
  readonly memoryBytes: number | undefined;
  readonly pids: number;
  /** Billionths of a processor; undefined: all. */
  readonly nanoCpus: number | undefined;
}

/** What the containers of one run may have. */
export interface AppliedLimits {
  /** Billionths of a processor that all of them together may use; undefined: any number. */
  readonly nanoCpus: number | undefined;
  /** What a step's container may have. @throws `invalid-request` when the step asks for more than its part, or in words that say nothing */
  of(step: LimitedStep): ContainerLimits;
  /** What each container may have that a step makes by the run's engine socket: as much as such a step itself. */
  readonly made: ContainerLimits;
}

/** What limits are made from. */
export interface LimitSources {
  readonly plan: Plan;
  readonly settings: RunLimits;
  readonly capacity: Capacity;
  /** Processors that the run itself asks for. */
  readonly cpus: number | undefined;
  readonly maxParallel: number | undefined;
}

/** Below these, hardly any program starts. */
const least = { memoryBytes: 16 * 1024 * 1024, pids: 16 };

/** Far above what a step needs; more only for one that asks for it. */
const usualPids = 4096;

/** `1.5 GiB`, `300 MiB`: rounded to what people can compare. */
export function formatBytes(bytes: number): string {
  const [unit, size] = bytes >= 2 ** 30 ? ['GiB', 2 ** 30] : ['MiB', 2 ** 20];
  return `${Math.floor((bytes / size) * 10) / 10} ${unit}`;
}

/** One resource that is shared: how steps ask for it, and what words go with it. */
interface Resource {
  readonly field: string;
  readonly setting: string;
  readonly show: (amount: number) => string;
  readonly demandOf: (step: LimitedStep) => number | undefined;
}

const memory: Resource = {
  field: 'memory',
  setting: 'SLIPWAY_RUN_MEMORY',
  show: formatBytes,
  demandOf: ({ memory: key, options }) => {
    const value = key ?? options.findLast(({ name }) => name === 'memory')?.value;
    return value === undefined ? undefined : parseBytes(value, 'memory');
  },
};

const pids: Resource = {
  field: '--pids-limit',
  setting: 'SLIPWAY_RUN_PIDS',
  show: (amount) => `${amount} processes`,
  demandOf: ({ options }) => {
    const value = options.findLast(({ name }) => name === 'pids-limit')?.value;
    return value === undefined ? undefined : parseWhole(value, '--pids-limit');
  },
};

function refuse({ field, setting, show }: Resource, { kind, id, amount, beside }: ShareFault, total: number): never {
  const may = `a run may have ${show(total)} here`;
  const wider = `or raise ${setting} of the worker`;
  const words = {
    'too-much': `asks for ${show(amount)} (${field}), and ${may}; ask for less, ${wider}`,
    'too-much-beside': `asks for ${show(amount)} (${field}), steps that may run beside it for ${show(beside)}, and ${may}; let them wait for each other, ${wider}`,
    'too-little': `would have ${show(amount)}, for ${may}, which the steps that may run beside it share; let some wait for others, limit the steps at one time (SLIPWAY_MAX_PARALLEL), ${wider}`,
  };
  throw fail('invalid-request', `step ${id} ${words[kind]}`, { field: `steps.${id}` });
}

/** What a step asks for as far as it is known before the run: outputs of other steps may stand in it, and wrong words are its own fault. */
function knownDemand(step: LimitedStep, { demandOf }: Resource): number | undefined {
  try {
    return demandOf(step);
  } catch {
    return undefined;
  }
}

function share(plan: Plan, resource: Resource, whole: Whole): ReadonlyMap<StepId, number> {
  const ancestors = findAncestors(plan);
  const steps = plan.steps.filter((step) => step.kind !== 'push');
  const sharers = steps.map((step): Sharer => ({
    id: step.id,
    ancestors: ancestors.get(step.id) ?? new Set(),
    stays: step.detach,
    demand: knownDemand(step, resource),
  }));
  const shares = shareOut(sharers, whole);
  return shares.ok ? shares.of : refuse(resource, shares.fault, whole.total);
}

/** What a step has of a resource now that its texts are whole. */
function partOf(step: LimitedStep, resource: Resource, part: number): number {
  const demand = resource.demandOf(step) ?? part;
  if (demand <= part) return demand;
  const { show, field } = resource;
  throw fail(
    'invalid-request',
    `step ${step.id} asks for ${show(demand)} (${field}), and its part of what the run may have is ${show(part)}`,
  );
}

/** Processors of `--cpu-quota` and `--cpu-period`, in billionths. */
function quotaOf({ options }: LimitedStep): number | undefined {
  const read = (wanted: string): number => Number(options.findLast(({ name }) => name === wanted)?.value ?? 0);
  const [quota, period] = [read('cpu-quota'), read('cpu-period') || 100_000];
  return quota > 0 ? Math.round((quota / period) * 1e9) : undefined;
}

function cpusOf(step: LimitedStep, ofRun: number | undefined): number | undefined {
  const own = step.cpus === undefined ? undefined : parseCpus(step.cpus);
  if (ofRun === undefined) return own;
  return Math.min(ofRun, own ?? quotaOf(step) ?? ofRun);
}

function totalMemory({ memoryBytes }: RunLimits, capacity: Capacity): number | undefined {
  if (memoryBytes === 'none') return undefined;
  return memoryBytes ?? (Math.floor(capacity.memoryBytes * 0.9) || undefined);
}

/** As many processors as the engine has are no limit. */
function totalCpus({ settings, capacity, cpus = settings.cpus }: LimitSources): number | undefined {
  return cpus === undefined || cpus >= capacity.cpus ? undefined : Math.round(cpus * 1e9);
}

/**
 * Shares what a run may have among the steps of its plan, before any of them starts.
 * @throws `invalid-request` when steps ask for more, or too little would be left for one
 */
export function applyLimits(sources: LimitSources): AppliedLimits {
  const { plan, settings, capacity, maxParallel } = sources;
  const total = totalMemory(settings, capacity);
  const memories =
    total === undefined ? undefined : share(plan, memory, { total, least: least.memoryBytes, maxParallel });
  const numbers = share(plan, pids, { total: settings.pids, least: least.pids, maxParallel });
  const nanoCpus = totalCpus(sources);
  const shareOf = (shares: ReadonlyMap<StepId, number>, id: StepId, all: number): number => shares.get(id) ?? all;
  const of = (step: LimitedStep): ContainerLimits => {
    const own = partOf(step, pids, shareOf(numbers, step.id, settings.pids));
    const hasAsked = pids.demandOf(step) !== undefined;
    return {
      memoryBytes:
        memories && total !== undefined
          ? partOf(step, memory, shareOf(memories, step.id, total))
          : memory.demandOf(step),
      pids: hasAsked ? own : Math.min(usualPids, own),
      nanoCpus: cpusOf(step, nanoCpus),
    };
  };
  const makers = plan.steps.filter((step) => step.kind === 'cmd' && step.usesEngine).map(({ id }) => id);
  const most = (shares: ReadonlyMap<StepId, number>): number => Math.max(0, ...makers.map((id) => shares.get(id) ?? 0));
  const made = {
    memoryBytes: memories && makers.length > 0 ? most(memories) : total,
    pids: Math.min(usualPids, makers.length > 0 ? most(numbers) : settings.pids),
    nanoCpus,
  };
  return { nanoCpus, of, made };
}
