import type { OutputImage, Run } from '../domain/run.ts';
import type { RunCondition } from './ports.ts';
import { runNumberOf } from './run-number.ts';

type Operator = RunCondition['operator'];

/** The pool of runs that name none. */
export const defaultPool = 'default';

function compareBy(operator: Operator, order: number): boolean {
  switch (operator) {
    case 'eq':
    case 'contains':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
  }
}

function compareText(operator: Operator, actual: string, wanted: string): boolean {
  const [left, right] = [actual.toLowerCase(), wanted.toLowerCase()];
  if (operator === 'contains') return left.includes(right);
  return compareBy(operator, left < right ? -1 : Number(left > right));
}

/** A time that is not there, or text that is no time, differs from everything and is neither before nor after. */
function compareTime(operator: Operator, actual: string | undefined, wanted: string): boolean {
  const order = actual === undefined ? NaN : Date.parse(actual) - Date.parse(wanted);
  return compareBy(operator, order);
}

/** Runs compare by age, which their names tell by length and then by alphabet. */
function compareRunId(operator: Operator, actual: string, wanted: string): boolean {
  const number = runNumberOf(wanted.toLowerCase());
  if (operator === 'contains' || number === undefined) return compareText(operator, actual, wanted);
  return compareBy(operator, (runNumberOf(actual) ?? 0) - number);
}

/** The names under which an image may be asked for. */
function namesOf(image: OutputImage): readonly string[] {
  const places = [`${image.registry}/${image.repository}`, image.repository];
  const tag = image.tag === undefined ? [] : [`:${image.tag}`];
  return places.flatMap((place) => [`@${image.digest}`, ...tag].map((end) => place + end));
}

function compareImages(operator: Operator, images: readonly OutputImage[], wanted: string): boolean {
  const names = images.flatMap(namesOf);
  if (operator === 'contains') return names.some((name) => name.includes(wanted));
  const has = names.includes(wanted);
  return operator === 'ne' ? !has : operator === 'eq' && has;
}

type Check = (run: Run, operator: Operator, value: string) => boolean;

function byText(textOf: (run: Run) => string): Check {
  return (run, operator, value) => compareText(operator, textOf(run), value);
}

function byTime(timeOf: (run: Run) => string | undefined): Check {
  return (run, operator, value) => compareTime(operator, timeOf(run), value);
}

const checks: Readonly<Record<RunCondition['field'], Check>> = {
  runId: (run, operator, value) => compareRunId(operator, run.runId, value),
  taskName: byText((run) => run.task ?? ''),
  agentPoolName: byText((run) => run.pool ?? defaultPool),
  status: byText((run) => run.status),
  runType: byText((run) => run.runType),
  createTime: byTime((run) => run.createTime),
  finishTime: byTime((run) => run.finishTime),
  isArchiveEnabled: byText((run) => String(run.isArchiveEnabled)),
  outputImageManifests: (run, operator, value) => compareImages(operator, run.outputImages, value),
};

/**
 * True when `run` meets every condition (azure-api.md §6: `$filter` on runs). Names and statuses compare without regard to case;
 * an image is named `[registry/]repository@digest` or `[registry/]repository:tag`, `contains` takes any part of that.
 */
export function meetsAll(run: Run, conditions: readonly RunCondition[]): boolean {
  return conditions.every(({ field, operator, value }) => checks[field](run, operator, value));
}
