import { oci } from '../errors.ts';
import { announcedLength, readBody, type Exchange } from '../exchange.ts';
import type { Attributes, QuarantineState } from '../records.ts';

/** What the body of a PATCH asks to change; what is absent stays. */
export interface Patch {
  readonly attributes: Attributes;
  readonly quarantine?: QuarantineState;
  readonly quarantineDetails?: string;
}

const mostBytes = 64 * 1024;
const mostDetails = 16 * 1024;
const attributeNames = ['deleteEnabled', 'writeEnabled', 'readEnabled', 'listEnabled'] as const;
const quarantineStates: readonly unknown[] = ['Quarantined', 'Passed', 'Failed'] satisfies QuarantineState[];

function wrong(message: string, status = 400): Error {
  return oci('UNSUPPORTED', message, { status });
}

async function readJson(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const tooLarge = (): Error =>
    oci('SIZE_INVALID', `this body may have at most ${String(mostBytes)} bytes`, { status: 413 });
  if ((announcedLength(exchange.req) ?? 0) > mostBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readBody(exchange)) {
    size += chunk.length;
    if (size > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return parseObject(Buffer.concat(chunks).toString('utf8'));
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('the body is no JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong('the body is no JSON object');
}

function readAttributes(body: Readonly<Record<string, unknown>>): Attributes {
  const given = attributeNames.flatMap((name) => {
    const value = body[name] ?? undefined;
    if (value === undefined) return [];
    if (typeof value !== 'boolean') throw wrong(`${name} must be true or false`);
    return [[name, value] as const];
  });
  return Object.fromEntries(given);
}

function readQuarantine(body: Readonly<Record<string, unknown>>): Pick<Patch, 'quarantine' | 'quarantineDetails'> {
  const [state, details] = [body['quarantineState'] ?? undefined, body['quarantineDetails'] ?? undefined];
  if (state !== undefined && !quarantineStates.includes(state))
    throw wrong(`quarantineState must be one of ${quarantineStates.join(', ')}`);
  if (details !== undefined && (typeof details !== 'string' || details.length > mostDetails))
    throw wrong(`quarantineDetails must be a text of at most ${String(mostDetails)} characters`);
  return {
    ...(state !== undefined && { quarantine: state as QuarantineState }),
    ...(details !== undefined && { quarantineDetails: details }),
  };
}

/** Reads the body of a PATCH, at most 64 KiB. Throws an OCI error naming the field that is wrong; what it does not know it passes over. */
export async function readPatch(exchange: Exchange): Promise<Patch> {
  const body = await readJson(exchange);
  return { attributes: readAttributes(body), ...readQuarantine(body) };
}

/** Attributes after a change; those that allow are left out, as they go without saying. */
export function mergeAttributes(before: Attributes | undefined, change: Attributes): { attributes?: Attributes } {
  const merged = { ...before, ...change };
  const forbidden = attributeNames.filter((name) => merged[name] === false).map((name) => [name, false] as const);
  return forbidden.length === 0 ? {} : { attributes: Object.fromEntries(forbidden) };
}
