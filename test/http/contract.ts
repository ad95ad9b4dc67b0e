import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

const ajv = addFormats.default(new Ajv2020({ allErrors: true, strict: true, strictTypes: false }));

function load(name: string): ValidateFunction {
  const file = new URL(`../../schemas/api/${name}.schema.json`, import.meta.url);
  return ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object);
}

const contracts = {
  run: load('run'),
  task: load('task'),
  error: load('error'),
  campaign: load('campaign'),
  'base-image': load('base-image'),
  'base-image-impact': load('base-image-impact'),
};

/** Fails when a document is not as its contract in `schemas/api` says. */
export function expectContract(name: keyof typeof contracts, document: unknown): void {
  const validate = contracts[name];
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
}
