import { isDeepStrictEqual } from 'node:util';

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON object; undefined for anything else. */
export function readObject(bytes: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Members of a configuration that say when, where or by what it was made, or repeat what the layers say. */
const passing: ReadonlySet<string> = new Set([
  'created',
  'container',
  'container_config',
  'docker_version',
  'moby.buildkit.buildinfo.v1',
  'moby.buildkit.cache.v0',
  'rootfs',
]);

/** Labels and annotations that say when an image was made, and of which making of its base. */
const passingNotes: ReadonlySet<string> = new Set([
  'org.opencontainers.image.created',
  'org.opencontainers.image.base.digest',
]);

function without(value: Json, names: ReadonlySet<string>): Json {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));
}

function notesOf(value: unknown): unknown {
  if (!isObject(value)) return value ?? {};
  return without(value, passingNotes);
}

/** The part of a configuration that a container sees; the classic builder's id of the parent is none. */
function containerOf(value: unknown): unknown {
  if (!isObject(value)) return value ?? {};
  const { Labels: labels, Image: _image, Hostname: _hostname, ...rest } = value;
  return { ...rest, labels: notesOf(labels) };
}

function historyOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value ?? [];
  const created: ReadonlySet<string> = new Set(['created']);
  return value.map((entry: unknown) => (isObject(entry) ? without(entry, created) : entry));
}

function normaliseConfig(config: Json): unknown {
  const { config: container, history, ...rest } = without(config, passing);
  return { ...rest, container: containerOf(container), history: historyOf(history) };
}

/** True for configurations of images that differ in nothing but times, and in what the layers say. */
export function isSameConfig(a: Json, b: Json): boolean {
  return isDeepStrictEqual(normaliseConfig(a), normaliseConfig(b));
}

/** True for annotations that differ in nothing but times. */
export function areSameNotes(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(notesOf(a), notesOf(b));
}
