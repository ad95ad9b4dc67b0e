import { runStatuses, type RunType } from '../../domain/run.ts';
import type { RunCondition } from '../ports.ts';
import { defaultPool } from '../run-conditions.ts';
import { runNumberOf } from '../run-number.ts';
import type { Keys } from './keys.ts';

/** What indexes say about the runs that meet conditions; the conditions still have to be put to each of them. */
export interface ListPlan {
  /** Of each of these groups of sorted sets, a run is in at least one set. */
  readonly groups: readonly (readonly string[])[];
  /** The first and the last number that a run may have. */
  readonly numbers: { readonly min: number; readonly max: number };
  /** When the first and the last of them may have been created, milliseconds since the epoch. */
  readonly created: { readonly min: number; readonly max: number };
  /** True when hardly a run is found by the indexes that does not meet the conditions. */
  readonly isCovered: boolean;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

const anything: Bounds = { min: -Infinity, max: Infinity };
const nothing: Bounds = { min: 1, max: 0 };
const runTypes: readonly RunType[] = ['QuickBuild', 'QuickRun', 'AutoBuild', 'AutoRun'];

/** The values that a comparison with whole numbers or instants leaves; `gt` and `lt` are taken as `ge` and `le`. */
function boundsOf(operator: RunCondition['operator'], value: number): Bounds {
  switch (operator) {
    case 'eq':
      return { min: value, max: value };
    case 'gt':
    case 'ge':
      return { min: value, max: Infinity };
    case 'lt':
    case 'le':
      return { min: -Infinity, max: value };
    case 'ne':
    case 'contains':
      return anything;
  }
}

function narrow(all: readonly Bounds[]): Bounds {
  return {
    min: Math.max(-Infinity, ...all.map(({ min }) => min)),
    max: Math.min(Infinity, ...all.map(({ max }) => max)),
  };
}

function numbersOf({ field, operator, value }: RunCondition): Bounds {
  if (field !== 'runId') return anything;
  const number = runNumberOf(value.toLowerCase());
  if (number !== undefined) return boundsOf(operator, number);
  return operator === 'eq' ? nothing : anything;
}

/** A run is finished after it was created, so that an upper bound of the one is an upper bound of the other. */
function createdOf({ field, operator, value }: RunCondition): Bounds {
  const time = Date.parse(value);
  if ((field !== 'createTime' && field !== 'finishTime') || Number.isNaN(time)) return anything;
  const bounds = boundsOf(operator, time);
  return field === 'createTime' ? bounds : { min: -Infinity, max: bounds.max };
}

function choices(keys: Keys, field: 'status' | 'type', all: readonly string[], condition: RunCondition) {
  const wanted = condition.value.toLowerCase();
  if (condition.operator === 'eq') return [keys.index(field, wanted)];
  if (condition.operator !== 'ne') return undefined;
  return all.filter((one) => one.toLowerCase() !== wanted).map((one) => keys.index(field, one));
}

/** A whole digest in what is looked for tells the image. */
function imageGroup({ operator, value }: RunCondition, keys: Keys): readonly string[] | undefined {
  const [digest] = /sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})/.exec(value) ?? [];
  return digest === undefined || operator === 'ne' ? undefined : [keys.index('image', digest)];
}

type FindGroup = (condition: RunCondition, keys: Keys) => readonly string[] | undefined;

/** The one set of an `eq`, unless the value is one of `unindexed`. */
function setOf(field: 'task' | 'pool', unindexed: string): FindGroup {
  return ({ operator, value }, keys) =>
    operator !== 'eq' || value.toLowerCase() === unindexed ? undefined : [keys.index(field, value)];
}

/** The sorted sets in one of which each run is that meets the condition; undefined where there is no index for it. */
const groupOf: Readonly<Record<RunCondition['field'], FindGroup | undefined>> = {
  runId: undefined,
  taskName: setOf('task', ''),
  agentPoolName: setOf('pool', defaultPool),
  status: (condition, keys) => choices(keys, 'status', runStatuses, condition),
  runType: (condition, keys) => choices(keys, 'type', runTypes, condition),
  createTime: undefined,
  finishTime: undefined,
  isArchiveEnabled: ({ operator, value }, keys) =>
    operator === 'eq' && value.toLowerCase() === 'true' ? [keys.archived] : undefined,
  outputImageManifests: imageGroup,
};

/** True for conditions that indexes answer, or that nearly every run meets. */
function isCoveredBy(condition: RunCondition, group: readonly string[] | undefined): boolean {
  const { field, operator } = condition;
  if (group !== undefined || field === 'createTime') return true;
  return field === 'runId' && operator !== 'contains';
}

/** Finds what the indexes can do for a list. Pure. */
export function planList(conditions: readonly RunCondition[], keys: Keys): ListPlan {
  const found = conditions.map((condition) => groupOf[condition.field]?.(condition, keys));
  const groups = found.filter((group) => group !== undefined);
  return {
    groups: groups.length > 0 ? groups : [[keys.runs]],
    numbers: narrow(conditions.map(numbersOf)),
    created: narrow(conditions.map(createdOf)),
    isCovered: conditions.every((condition, index) => isCoveredBy(condition, found[index])),
  };
}
