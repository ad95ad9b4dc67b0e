import { fail } from '../../domain/failure.ts';
import { formatImageReference, parseImageReference, isTag } from '../../domain/image-reference.ts';
import type { BuildStep, PassedOption } from '../../domain/step.ts';
import type { StepIo } from '../../engine/ports.ts';
import { parseBytes, parseWhole } from './quantities.ts';
import type { EngineRequest } from './request.ts';

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

type Mapping = (values: readonly string[]) => Query;

const last = (values: readonly string[]): string => values.at(-1) ?? '';
const whole =
  (field: string, flag: string): Mapping =>
  (values) => ({ [field]: String(parseWhole(last(values), `--${flag}`)) });
const bytes =
  (field: string, flag: string): Mapping =>
  (values) => ({ [field]: last(values) === '-1' ? '-1' : String(parseBytes(last(values), `--${flag}`)) });
const text =
  (field: string): Mapping =>
  (values) => ({ [field]: last(values) });

function readUlimit(written: string): object {
  const found = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(written);
  if (!found) throw fail('invalid-request', `--ulimit must be NAME=SOFT[:HARD], not "${written}"`);
  return { Name: found[1], Soft: Number(found[2]), Hard: Number(found[3] ?? found[2]) };
}

/** Flags of `docker build` by their fields in the query of `POST /build` (Engine API, "Build an image"). */
const mappings: Readonly<Record<string, Mapping>> = {
  'add-host': (values) => ({ extrahosts: values.map((host) => host.replace('=', ':')) }),
  'cpu-period': whole('cpuperiod', 'cpu-period'),
  'cpu-quota': whole('cpuquota', 'cpu-quota'),
  'cpu-shares': whole('cpushares', 'cpu-shares'),
  'cpuset-cpus': text('cpusetcpus'),
  'cpuset-mems': text('cpusetmems'),
  isolation: text('isolation'),
  memory: bytes('memory', 'memory'),
  'memory-swap': bytes('memswap', 'memory-swap'),
  network: text('networkmode'),
  'shm-size': bytes('shmsize', 'shm-size'),
  squash: () => ({ squash: '1' }),
  ulimit: (values) => ({ ulimits: JSON.stringify(values.map(readUlimit)) }),
};

/** Flags that change nothing in what the image does: they are passed over, and said to be. */
const passedOver = new Set(['annotation', 'attest', 'cache-to', 'no-cache-filter', 'provenance', 'sbom']);

/** Networks that the instructions of a build may be on. */
const safeNetworks = new Set(['default', 'bridge', 'none']);

function checkNetwork(options: readonly PassedOption[], allowPrivileged: boolean): void {
  const network = options.findLast(({ name }) => name === 'network')?.value;
  if (network === undefined || allowPrivileged || safeNetworks.has(network)) return;
  throw fail('unsupported', `--network ${network} cannot be used here: it would reach into the machine that builds`);
}

/** `REFERENCE` or `type=registry,ref=REFERENCE`; other types are kept by no engine. */
function readCacheSource(value: string): readonly string[] {
  if (!value.includes('=')) return [value];
  const fields = new Map(value.split(',').map((part) => part.split('=', 2) as [string, string]));
  const reference = fields.get('ref');
  return fields.get('type') === 'registry' && reference !== undefined ? [reference] : [];
}

/**
 * Where a build's layers are kept in its registry (`cache: enabled`; acr-tasks.md §1.6): a tag beside the first of its names that has a
 * registry. Undefined when it has none.
 */
export function cacheReference({ cache, tags, id }: BuildStep): string | undefined {
  const tag = `cache_${id}`.replace(/[^A-Za-z0-9._-]/g, '_');
  if (!cache || !isTag(tag)) return undefined;
  const image = tags.map((name) => parseImageReference(name)).find(({ registry }) => registry !== undefined);
  return image?.registry && formatImageReference({ registry: image.registry, repository: image.repository, tag });
}

function readOption(name: string, values: readonly string[], io: Pick<StepIo, 'output'>): Query {
  const mapping = Object.hasOwn(mappings, name) ? mappings[name] : undefined;
  if (mapping) return mapping(values);
  if (!passedOver.has(name)) throw fail('unsupported', `--${name} cannot be used in a build step`);
  io.output('system', `warning: --${name} is passed over: the container engine has nothing of that kind`);
  return {};
}

function valuesOf(options: readonly PassedOption[], wanted: string): readonly string[] {
  return options.flatMap(({ name, value = '' }) => (name === wanted ? [value] : []));
}

/** The cache that a build takes its layers from, and the note in the image that lets others do so. */
function cacheQuery(step: BuildStep): Query {
  const own = cacheReference(step);
  const given = step.options.flatMap(({ name, value }) => (name === 'cache-from' ? readCacheSource(value ?? '') : []));
  const sources = own === undefined ? given : [own, ...given];
  const buildArguments = Object.fromEntries(step.arguments.map(({ name, value }) => [name, value]));
  return {
    ...(sources.length > 0 && { cachefrom: JSON.stringify(sources) }),
    ...(own !== undefined && {
      t: [...step.tags, own],
      buildargs: JSON.stringify({ ...buildArguments, BUILDKIT_INLINE_CACHE: '1' }),
    }),
  };
}

/**
 * What the keys and flags of a build step that have no field of their own mean for `POST /build`, but for its labels.
 * @throws `unsupported`, `invalid-request` naming the flag.
 */
export function buildOptions(
  step: BuildStep,
  allowPrivileged: boolean,
  io: Pick<StepIo, 'output'>,
): NonNullable<EngineRequest['query']> {
  checkNetwork(step.options, allowPrivileged);
  const options = step.options.filter(({ name }) => name !== 'cache-from');
  const names = [...new Set(options.map(({ name }) => name))];
  return {
    ...(step.pull && { pull: '1' }),
    ...names.reduce<Query>((query, name) => ({ ...query, ...readOption(name, valuesOf(options, name), io) }), {}),
    ...cacheQuery(step),
  };
}
