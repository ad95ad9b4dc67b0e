import { runStatuses } from '../domain/run.ts';
import type { RunCondition } from '../store/ports.ts';
import { findNearest } from '../domain/nearest.ts';
import { createCursor, wrongFilter, type Cursor, type Token } from './odata-tokens.ts';

type Field = RunCondition['field'];
type Operator = RunCondition['operator'];

/** What a field holds: which operators make sense, and how its value is written. */
const fields: Readonly<
  Record<Field, { readonly operators: readonly Operator[]; readonly parse: (text: string) => string | undefined }>
> = {
  runId: { operators: ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'contains'], parse: (text) => text },
  taskName: { operators: ['eq', 'ne', 'contains'], parse: (text) => text },
  agentPoolName: { operators: ['eq', 'ne', 'contains'], parse: (text) => text },
  status: { operators: ['eq', 'ne'], parse: (text) => findChoice(text, runStatuses) },
  runType: {
    operators: ['eq', 'ne'],
    parse: (text) => findChoice(text, ['QuickBuild', 'QuickRun', 'AutoBuild', 'AutoRun']),
  },
  createTime: { operators: ['eq', 'ne', 'gt', 'ge', 'lt', 'le'], parse: parseTime },
  finishTime: { operators: ['eq', 'ne', 'gt', 'ge', 'lt', 'le'], parse: parseTime },
  isArchiveEnabled: { operators: ['eq', 'ne'], parse: (text) => findChoice(text, ['true', 'false']) },
  outputImageManifests: { operators: ['contains', 'eq', 'ne'], parse: (text) => text },
};

const operators: readonly Operator[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const maxLength = 2000;
const maxDepth = 20;

function findChoice(text: string, choices: readonly string[]): string | undefined {
  return choices.find((one) => one.toLowerCase() === text.toLowerCase());
}

/** ISO 8601 with a time zone (or a date alone, UTC), as `Date` reads it. */
function parseTime(text: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/i.test(text))
    return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

function parseField({ text, at, kind }: Token): Field {
  const known = Object.keys(fields) as Field[];
  const field = kind === 'word' ? known.find((one) => one.toLowerCase() === text.toLowerCase()) : undefined;
  if (field !== undefined) return field;
  const nearest = kind === 'word' ? findNearest(text, known) : undefined;
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  throw wrongFilter(
    `"${text.slice(0, 60)}" is no field to filter by${meant}`,
    at,
    `the fields are ${known.join(', ')}`,
  );
}

function makeCondition(field: Token, operator: Operator, value: Token): RunCondition {
  const name = parseField(field);
  const rule = fields[name];
  if (!rule.operators.includes(operator)) {
    throw wrongFilter(`"${operator}" does not go with ${name}`, field.at, `use ${rule.operators.join(', ')}`);
  }
  if (value.kind !== 'text' && value.kind !== 'word') throw wrongFilter('a value is missing', value.at);
  const parsed = rule.parse(value.text);
  if (parsed === undefined) throw wrongFilter(`"${value.text.slice(0, 60)}" is no value of ${name}`, value.at);
  return { field: name, operator, value: parsed };
}

function readContains(cursor: Cursor): RunCondition {
  cursor.next();
  cursor.expect('(');
  const field = cursor.next();
  cursor.expect(',');
  const value = cursor.next();
  cursor.expect(')');
  return makeCondition(field, 'contains', value);
}

function readComparison(cursor: Cursor): RunCondition {
  const field = cursor.next();
  parseField(field);
  const word = cursor.next();
  const operator = operators.find((one) => one === word.text.toLowerCase() && word.kind === 'word');
  if (operator !== undefined) return makeCondition(field, operator, cursor.next());
  const hint = `use ${operators.join(', ')} or contains(field,'text')`;
  throw wrongFilter(`"${word.text.slice(0, 60)}" is no operator`, word.at, hint);
}

function readTerm(cursor: Cursor, depth: number): RunCondition[] {
  if (depth > maxDepth) throw wrongFilter('too many brackets', cursor.peek().at);
  if (cursor.is('mark', '(')) {
    cursor.next();
    const inner = readConditions(cursor, depth + 1);
    cursor.expect(')');
    return inner;
  }
  if (cursor.is('word', 'not')) throw wrongFilter('"not" is not supported', cursor.peek().at, 'use ne');
  return [cursor.is('word', 'contains') ? readContains(cursor) : readComparison(cursor)];
}

function readConditions(cursor: Cursor, depth: number): RunCondition[] {
  const conditions = readTerm(cursor, depth);
  while (cursor.is('word', 'and')) {
    cursor.next();
    conditions.push(...readTerm(cursor, depth));
  }
  if (!cursor.is('word', 'or')) return conditions;
  const hint = 'join conditions with "and", or ask once for each';
  throw wrongFilter('"or" is not supported', cursor.peek().at, hint);
}

/**
 * Parses the `$filter` of the runs list (azure-api.md §5): comparisons and `contains(field,'text')` joined by `and`. Names of fields,
 * operators and enumeration values in any case. Throws `invalid-request` that says what is wrong and where.
 */
export function parseFilter(text: string): readonly RunCondition[] {
  if (text.length > maxLength) throw wrongFilter(`it is longer than ${maxLength} characters`, maxLength + 1);
  if (text.trim() === '') return [];
  const cursor = createCursor(text);
  const conditions = readConditions(cursor, 0);
  const rest = cursor.next();
  if (rest.kind !== 'end') throw wrongFilter(`"${rest.text.slice(0, 60)}" was not expected`, rest.at);
  return conditions;
}
