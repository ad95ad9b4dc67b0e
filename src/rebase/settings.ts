import { fieldsIn, isFields, listIn, textIn, type CheckedImage, type Fields } from './documents.ts';
import type { Effects, Ground } from './effects.ts';
import { refuse } from './refusal.ts';

/** Fields that an instruction sets as a whole, and that an image has from its base otherwise. */
const singleFields = ['User', 'Cmd', 'Entrypoint', 'WorkingDir', 'StopSignal', 'Healthcheck', 'Shell'] as const;
/** Set with a command, and not to be had otherwise. */
const flagFields = ['ArgsEscaped', 'StopTimeout'] as const;
const mapFields = ['Labels', 'ExposedPorts', 'Volumes'] as const;

/** What builders write of the container that they worked in; no two builds have the same. */
export const traces: ReadonlySet<string> = new Set([
  ...['Hostname', 'Domainname', 'Image', 'AttachStdin', 'AttachStdout', 'AttachStderr'],
  ...['Tty', 'OpenStdin', 'StdinOnce', 'MacAddress', 'NetworkDisabled'],
]);
const known = new Set<string>([...singleFields, ...flagFields, ...mapFields, ...traces, 'Env', 'OnBuild']);

/** True for what a field is when nobody set it, in whichever way its builder writes that. */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return true;
  return Array.isArray(value) ? value.length === 0 : isFields(value) && Object.keys(value).length === 0;
}

/** The value with the members of its objects in order, as text; the same for everything that is not set. */
function canonical(value: unknown): string {
  if (isUnset(value)) return 'null';
  return JSON.stringify(value, (_, one: unknown) =>
    isFields(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one,
  );
}

/** True when two values of a field mean the same. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** `NAME=value` lines as pairs; of a name that comes twice the last counts. */
export function readEnv(settings: Fields): ReadonlyMap<string, string> {
  const lines = listIn(settings, 'Env').filter((line): line is string => typeof line === 'string');
  return new Map(
    lines.map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** What an image gives to the instructions of one that stands on it. */
export function groundOf({ settings }: CheckedImage): Ground {
  return {
    env: readEnv(settings),
    workingDirectory: textIn(settings, 'WorkingDir') ?? '',
    user: textIn(settings, 'User') ?? '',
  };
}

/** Refuses a configuration with more in it than is known here, and a base that keeps instructions for what stands on it. */
export function checkSettings({ settings }: CheckedImage, what: string): void {
  const other = Object.keys(settings).find((name) => !known.has(name) && !isUnset(settings[name]));
  if (other !== undefined) refuse(`the configuration of ${what} has the field ${other.slice(0, 60)}`);
  if (!isUnset(settings['OnBuild'])) refuse(`${what} has ONBUILD instructions`);
}

/** The names of a map field that the instructions set. */
function namesSet(effects: Effects, field: (typeof mapFields)[number]): ReadonlySet<string> {
  switch (field) {
    case 'Labels':
      return new Set(effects.labels.keys());
    case 'ExposedPorts':
      return effects.ports;
    case 'Volumes':
      return effects.volumes;
  }
}

/** What the field of an image is, out of its base's and what the instructions made of it in an earlier image. */
function nextSingle(field: string, { set }: Effects, base: Fields, image: Fields): unknown {
  if (set.has(field)) return image[field];
  // A new entry point takes the base's arguments away (Dockerfile reference, "Understand how CMD and ENTRYPOINT interact").
  if (field === 'Cmd' && set.has('Entrypoint')) return undefined;
  return base[field];
}

function nextFlag(field: string, { set }: Effects, base: Fields, image: Fields): unknown {
  const isOfCommand = field === 'ArgsEscaped' && (set.has('Cmd') || set.has('Entrypoint'));
  return isOfCommand ? image[field] : base[field];
}

function nextMap(names: ReadonlySet<string>, base: Fields, image: Fields): Fields {
  const own = [...names].flatMap((name) => (Object.hasOwn(image, name) ? [[name, image[name]] as const] : []));
  return Object.fromEntries([...Object.entries(base), ...own]);
}

function nextEnv({ env }: Effects, base: Fields): readonly string[] {
  const next = new Map([...readEnv(base), ...env]);
  return [...next].map(([name, value]) => `${name}=${value}`);
}

/**
 * The configuration of the image that the instructions make of a base: what they set is taken from `image`, which they have made of
 * another one, all else from the base.
 */
export function nextSettings(effects: Effects, base: CheckedImage, image: CheckedImage): Record<string, unknown> {
  const [from, made] = [base.settings, image.settings];
  const maps = mapFields.map(
    (field) => [field, nextMap(namesSet(effects, field), fieldsIn(from, field), fieldsIn(made, field))] as const,
  );
  const all = [
    ...singleFields.map((field) => [field, nextSingle(field, effects, from, made)] as const),
    ...flagFields.map((field) => [field, nextFlag(field, effects, from, made)] as const),
    ...maps,
    ['Env', nextEnv(effects, from)] as const,
  ];
  return Object.fromEntries(all.filter(([, value]) => !isUnset(value)));
}
