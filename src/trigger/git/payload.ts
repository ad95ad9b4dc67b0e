import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ErrorObject, type SchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { fail, type FailureError } from '../../domain/failure.ts';

/** The folder `schemas/hooks` of the package, found from the sources as well as from the compiled files. */
function findSchemas(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'schemas', 'hooks')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'schemas', 'hooks');
}

/** One fault found by ajv as a sentence that begins with the field. Values are never repeated. */
function describe(error: ErrorObject): FailureError {
  const missing = error.keyword === 'required' ? [String(error.params['missingProperty'])] : [];
  const parts = [...error.instancePath.split('/').slice(1), ...missing];
  const field = parts.map((part, at) => (/^\d+$/.test(part) ? `[${part}]` : at === 0 ? part : `.${part}`)).join('');
  const subject = field === '' ? 'the payload' : field;
  const what = missing.length > 0 ? 'is missing' : (error.message ?? 'is wrong');
  return fail('invalid-request', `${subject} ${what}`, field === '' ? {} : { field });
}

/**
 * The check that `schemas/hooks/<name>.schema.json` makes, compiled when it is first used: a function that gives back a payload which is as the schema describes it (members beyond
 * the schema stay and are never read), and throws `invalid-request` naming the first field that is not as the schema says.
 */
export function createPayloadCheck(name: string): (body: unknown) => unknown {
  let compiled: ValidateFunction | undefined;
  return (body) => {
    const validate = (compiled ??= compile(name));
    if (validate(body)) return body;
    const [first] = validate.errors ?? [];
    throw first === undefined ? fail('invalid-request', 'the payload is wrong') : describe(first);
  };
}

function compile(name: string): ValidateFunction {
  const schema = JSON.parse(readFileSync(join(findSchemas(), `${name}.schema.json`), 'utf8')) as SchemaObject;
  return new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
}
