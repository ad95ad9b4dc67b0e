import { fail } from '../domain/failure.ts';
import { createBodyCheck } from './schema.ts';
import { checkStep, readStepType } from './task-document-step.ts';
import { within } from './within.ts';

type Members = Readonly<Record<string, unknown>>;

/** Lists whose items are merged by their names: none is removed. */
const namedLists = new Set(['timerTriggers', 'sourceTriggers']);
/** Members that are one value, however many parts they have. */
const values = new Set(['tags', 'identity', 'branches', 'paths']);

function asMembers(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

function nameOf(value: unknown): string | undefined {
  const name = asMembers(value)?.['name'];
  return typeof name === 'string' ? name.toLowerCase() : undefined;
}

/** Changes the items that are there by name, and adds the others. */
function mergeNamed(current: readonly unknown[], change: readonly unknown[]): unknown[] {
  const merged = [...current];
  for (const item of change) {
    const at = merged.findIndex((one) => nameOf(one) !== undefined && nameOf(one) === nameOf(item));
    const [found, given] = [asMembers(merged[at]), asMembers(item)];
    if (found && given) merged[at] = { ...mergeMembers(found, given), name: found['name'] };
    else merged.push(item);
  }
  return merged;
}

/** A step of another type replaces the one that is there. */
function isOtherStep(name: string, current: Members, change: Members): boolean {
  if (name !== 'step' || typeof change['type'] !== 'string') return false;
  return change['type'].toLowerCase() !== String(current['type']).toLowerCase();
}

function mergeValue(name: string, current: unknown, change: unknown): unknown {
  if (namedLists.has(name) && Array.isArray(current) && Array.isArray(change)) return mergeNamed(current, change);
  const [found, given] = [asMembers(current), asMembers(change)];
  if (found === undefined || given === undefined || values.has(name) || isOtherStep(name, found, given)) return change;
  return mergeMembers(found, given);
}

/** Goes only where both sides have members, so the depth of hostile input does not matter. */
function mergeMembers(current: Members, change: Members): Members {
  const merged = new Map(Object.entries(current));
  for (const [name, value] of Object.entries(change)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergeValue(name, merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/**
 * Merges a change into a task's document, its secrets in it (azure-api.md §5): what is absent stays, objects are merged, also empty ones,
 * lists are replaced, triggers are merged by name and never removed, a step of another type replaces the one that is there, and null
 * removes a member: one of `customRegistries`, for instance. `tags`, `identity` and the filters of a trigger are replaced.
 */
export function mergeTask(document: object, change: object): object {
  return mergeMembers(document as Members, change as Members);
}

/**
 * Makes the check of bodies of PATCH tasks/{name}: each part as in a whole task, and nothing required. `stepType` is the one that the task has.
 * It throws `invalid-request` naming the field as it stands in the body.
 */
export function createChangeCheck(): (body: unknown, stepType: Parameters<typeof readStepType>[1]) => object {
  const check = createBodyCheck('api/task-body', 'partial');
  return (body, stepType) => {
    if (asMembers(body) === undefined) throw fail('invalid-request', 'the request body must be a JSON object');
    const { properties } = check(body) as { readonly properties?: { readonly step?: object } };
    const step = properties?.step;
    if (step !== undefined) {
      within('properties.step', () => checkStep(step, readStepType(step, stepType), 'partial'));
    }
    return body as object;
  };
}
