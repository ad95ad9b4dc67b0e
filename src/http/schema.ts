import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ErrorObject, type SchemaObject } from 'ajv/dist/2020.js';
import { fail, type FailureError } from '../domain/failure.ts';
import { findNearest } from '../domain/nearest.ts';

/** Fields of Azure's API that mean something there and nothing here: the message says so instead of calling them unknown. */
const foreignFields: Readonly<Record<string, string>> = {
  logTemplate: 'log artifacts are not supported by this server',
  identity: 'managed identities are not supported by this server',
};

/** `/imageNames/0` → `imageNames[0]` */
function toFieldPath(pointer: string, ...more: readonly string[]): string {
  const parts = pointer.split('/').slice(1);
  const names = [...parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')), ...more];
  return names.map((name, index) => (/^\d+$/.test(name) ? `[${name}]` : index === 0 ? name : `.${name}`)).join('');
}

function describeUnknown(error: ErrorObject): FailureError {
  const name = String(error.params['additionalProperty']).slice(0, 100);
  const field = toFieldPath(error.instancePath, name);
  const foreign = foreignFields[name];
  if (foreign !== undefined) return fail('invalid-request', `${field}: ${foreign}`, { field, hint: 'leave it out' });
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
  const nearest = findNearest(name, known);
  return fail('invalid-request', `${field} is not a known field${nearest ? `; did you mean ${nearest}?` : ''}`, {
    field,
    hint: known.length === 0 ? 'leave it out' : `the fields known here are ${known.join(', ')}`,
  });
}

/** One fault found by ajv as a sentence that begins with the field. Values are never repeated: they may be secrets. */
function describe(error: ErrorObject): FailureError {
  const { params } = error;
  if (error.keyword === 'additionalProperties') return describeUnknown(error);
  const isMissing = error.keyword === 'required';
  const inside = isMissing
    ? [String(params['missingProperty'])]
    : error.propertyName
      ? [error.propertyName.slice(0, 100)]
      : [];
  const field = toFieldPath(error.instancePath, ...inside);
  const say = (text: string): FailureError =>
    fail('invalid-request', `${field === '' ? 'the request body' : field} ${text}`, field === '' ? {} : { field });
  switch (error.keyword) {
    case 'required':
      return say('is missing');
    case 'enum':
      return say(`must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`);
    case 'pattern':
      return say('has characters that it cannot have');
    default:
      return say(error.message ?? 'is wrong');
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Looks up `#/$defs/name`. */
function resolve(schema: unknown, root: SchemaObject): SchemaObject | undefined {
  const found = asObject(schema);
  const reference = found?.['$ref'];
  if (typeof reference !== 'string') return found;
  return asObject(asObject(root['$defs'])?.[reference.replace('#/$defs/', '')]);
}

/**
 * The value as the schema spells it: enumeration values in the schema's own case (Azure's clients differ), null members left out.
 * Goes only where the schema goes, so the depth of hostile input does not matter.
 */
function align(value: unknown, given: unknown, root: SchemaObject): unknown {
  const schema = resolve(given, root);
  if (schema === undefined) return value;
  if (typeof value === 'string') {
    const choices = (schema['enum'] ?? []) as readonly unknown[];
    return choices.find((one) => typeof one === 'string' && one.toLowerCase() === value.toLowerCase()) ?? value;
  }
  if (Array.isArray(value)) return value.map((item) => align(item, schema['items'], root));
  const members = asObject(value);
  if (members === undefined) return value;
  const known = asObject(schema['properties']) ?? {};
  const schemaOf = (name: string): unknown =>
    Object.hasOwn(known, name) ? known[name] : schema['additionalProperties'];
  const kept = Object.entries(members).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([name, member]) => [name, align(member, schemaOf(name), root)]));
}

/** The folder `schemas/` of the package, found from the sources as well as from the compiled files. */
function findSchemas(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'schemas', 'api')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'schemas');
}

const sharedParts = 'run-request-parts.schema.json';

/** Reads a contract from `schemas/`, for instance `api/run-update`; the parts that contracts share become definitions of its own. */
function readSchema(name: string): SchemaObject {
  const read = (file: string): string => readFileSync(join(findSchemas(), file), 'utf8');
  const text = read(`${name}.schema.json`);
  const schema = JSON.parse(text.replaceAll(`"${sharedParts}#`, '"#')) as SchemaObject;
  if (!text.includes(sharedParts)) return schema;
  const { $defs } = JSON.parse(read(`api/${sharedParts}`)) as SchemaObject;
  return { ...schema, $defs: { ...asObject($defs), ...asObject(schema['$defs']) } };
}

/** Gives back a body as its contract spells it, or throws. */
type BodyCheck = (body: unknown) => unknown;

/** The same contract with nothing required: that of a change, which says only what changes. */
function withoutRequired(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRequired);
  const members = asObject(schema);
  if (members === undefined) return schema;
  const kept = Object.entries(members).filter(([name, member]) => name !== 'required' || !Array.isArray(member));
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutRequired(member)]));
}

function compile(name: string, isPartial: boolean): BodyCheck {
  const whole = readSchema(name);
  const schema = isPartial
    ? (withoutRequired({ ...whole, $id: `${String(whole.$id)}?partial` }) as SchemaObject)
    : whole;
  const validate = new Ajv2020({ verbose: true, strict: true }).compile(schema);
  return (body) => {
    const aligned = align(body, schema, schema);
    if (validate(aligned)) return aligned;
    const [first] = validate.errors ?? [];
    throw first === undefined ? fail('invalid-request', 'the request body is wrong') : describe(first);
  };
}

/** Compiling costs a hundred times more than checking, and a contract never changes: each is compiled once in a process. */
const compiled = new Map<string, BodyCheck>();

/**
 * Compiles a contract of `schemas/` to a check of request bodies. The check gives back the body as the contract spells it, and throws
 * `invalid-request` that names the first wrong field and, for an unknown one, the field that was probably meant. With `partial`,
 * nothing is missing: the body is a change of such a document.
 */
export function createBodyCheck(name: string, extent: 'whole' | 'partial' = 'whole'): BodyCheck {
  const key = `${extent} ${name}`;
  const check = compiled.get(key) ?? compile(name, extent === 'partial');
  compiled.set(key, check);
  return check;
}
