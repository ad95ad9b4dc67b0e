import { jsonDepthOf } from '../domain/json-depth.ts';
import { limits } from './limits.ts';
import { refuse } from './refusal.ts';

/** A JSON object whose values are still to be looked at. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object in UTF-8 that a stranger wrote.
 * @param what names the document in the refusal.
 * @throws RefusedSignature when it is none, or nests deeper than the limit.
 */
export function parseJson(bytes: Uint8Array, what: string): Json {
  const value = readJson(bytes, limits.jsonDepth);
  if (!isObject(value)) throw refuse(`${what} is no JSON object`);
  return value;
}

/** The value of a JSON document in UTF-8; undefined when it is none, or nests deeper than `depth`. */
export function readJson(bytes: Uint8Array, depth: number): unknown {
  if (jsonDepthOf(bytes) > depth) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at `name`, or an empty one. */
export function objectAt(json: Json, name: string): Json {
  const value = json[name];
  return isObject(value) ? value : {};
}

/** The list at `name`, or an empty one. */
export function listAt(json: Json, name: string): readonly unknown[] {
  const value = json[name];
  return Array.isArray(value) ? value : [];
}

/** The text at `name`; undefined when there is none or it is empty. */
export function textAt(json: Json, name: string): string | undefined {
  const value = json[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * The bytes of a text in base64, in the plain or the URL alphabet, padded or not. Undefined when it is anything else:
 * Node's own decoder would skip what it does not know.
 */
export function decodeBase64(text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || text === '' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
