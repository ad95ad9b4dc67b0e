import type { Request, RequestHandler } from 'express';
import { fail } from '../../domain/failure.ts';
import { checkSecretName, createOwnSecrets } from '../../secret/own-secrets.ts';
import { callerOf } from '../middleware/authenticate.ts';
import type { AppOptions } from '../options.ts';
import { createBodyCheck } from '../schema.ts';

type Options = Pick<AppOptions, 'key' | 'store'>;

/** The body of PUT secrets/{name} as `schemas/api/secret.schema.json` has it. */
interface SecretBody {
  readonly value?: string;
  readonly valueBase64?: string;
}

function readName(request: Request): string {
  return checkSecretName(String(request.params['name']));
}

function decode(text: string): Buffer {
  const digits = text.replaceAll(/\s/g, '').replace(/={1,2}$/, '');
  const field = 'valueBase64';
  if (digits.includes('=') || digits.length % 4 === 1)
    throw fail('invalid-request', 'valueBase64 is not base64: something is missing in it', { field });
  return Buffer.from(digits, 'base64');
}

function readValue({ value, valueBase64 }: SecretBody): Buffer {
  if (value !== undefined && valueBase64 !== undefined)
    throw fail('invalid-request', 'value and valueBase64 exclude each other', { field: 'valueBase64' });
  if (valueBase64 !== undefined) return decode(valueBase64);
  if (value !== undefined) return Buffer.from(value);
  throw fail('invalid-request', 'value is missing', {
    field: 'value',
    hint: 'bytes that are no text go into valueBase64',
  });
}

/** `GET …/secrets`: names and times, never a value. */
export function createSecretsHandler({ store }: Options): RequestHandler {
  return async (_request, response) => {
    response.json({ value: await store.secrets.list() });
  };
}

/** `PUT …/secrets/{name}` with `{value}` or `{valueBase64}`: sets it, whether or not it was there. */
export function createSecretHandler({ key, store }: Options): RequestHandler {
  const check = createBodyCheck('api/secret');
  const secrets = createOwnSecrets(key, store.secrets);
  return async (request, response) => {
    const value = readValue(check(request.body ?? {}) as SecretBody);
    response.json(await secrets.set(readName(request), value, callerOf(response).name));
  };
}

/** `DELETE …/secrets/{name}` */
export function createSecretDeleteHandler({ store }: Options): RequestHandler {
  return async (request, response) => {
    const name = readName(request);
    if (!(await store.secrets.delete(name))) throw fail('not-found', `there is no secret "${name}"`);
    response.status(204).end();
  };
}
