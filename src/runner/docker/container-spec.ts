import { fail } from '../../domain/failure.ts';
import type { CmdStep } from '../../domain/step.ts';
import { commandOf } from './command.ts';
import { droppedRights, logging } from './container-limits.ts';
import type { ContainerLimits } from './limits/applied.ts';
import type { Place } from './network.ts';
import { publishPorts } from './published-ports.ts';
import { joinParts, readRunOptions, type ContainerParts } from './run-options.ts';
import { labels, labelsOf, type RunScope } from './scope.ts';
import type { StepImage } from './step-image.ts';
import type { Mount } from './mount.ts';

/** All that a step's container is made of. */
export interface ContainerSource {
  readonly scope: RunScope;
  readonly step: CmdStep;
  readonly attempt: number;
  readonly image: StepImage;
  readonly place: Place;
  readonly mounts: readonly Mount[];
  /** Whether the engine's init program is the container's first process. */
  readonly hasInit: boolean;
}

/** Where clients look for the engine's socket. */
const usualSocket = '/var/run/docker.sock';

/**
 * Refuses what would let a step leave its container.
 * @throws `unsupported`
 */
export function assertConfined({ settings, engineAccess }: RunScope, step: CmdStep): void {
  if (step.usesEngine && engineAccess?.kind !== 'socket') {
    const why = engineAccess?.why ?? 'its run has no socket for it';
    throw fail('unsupported', `this step drives the container engine, which is not possible here: ${why}`);
  }
  if (step.privileged && !settings.allowPrivileged) {
    throw fail(
      'unsupported',
      'a privileged container has the rights of the machine itself; this installation allows none',
    );
  }
}

/** What the words of a `--mount` flag say. */
interface WrittenMount {
  readonly text: string;
  readonly type: string;
  readonly source: string | undefined;
  readonly target: string;
  readonly isReadOnly: boolean;
}

function parseMount(text: string): WrittenMount {
  const fields = new Map(text.split(',').map((part) => part.split('=', 2) as [string, string | undefined]));
  const first = (...names: readonly string[]): string | undefined =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined);
  const target = first('target', 'destination', 'dst') ?? '';
  if (!target.startsWith('/')) throw fail('invalid-request', `--mount ${text} names no absolute target`);
  const isReadOnly = fields.has('readonly') || fields.has('ro');
  return { text, type: first('type') ?? 'volume', source: first('source', 'src'), target, isReadOnly };
}

type MountOf = (volume: string, path: string) => Mount;

/** `--mount` with a volume of the run, or memory. */
function readMount({ scope }: ContainerSource, mountOf: MountOf, written: WrittenMount): object {
  const { text, type, source, target, isReadOnly } = written;
  if (type === 'tmpfs') return { Type: 'tmpfs', Target: target };
  const isName = /^[a-zA-Z0-9_.-]+$/.test(source ?? '');
  if (type === 'volume' && isName) return { ...mountOf(source ?? '', target), ReadOnly: isReadOnly };
  if (type === 'bind' && scope.settings.allowPrivileged) {
    return { Type: 'bind', Source: source, Target: target, ReadOnly: isReadOnly };
  }
  throw fail('unsupported', `--mount ${text} cannot be used here: only volumes of the run and tmpfs can`);
}

function limitsOf({ isolation }: CmdStep, { pids, memoryBytes, nanoCpus }: ContainerLimits): ContainerParts {
  return {
    host: {
      PidsLimit: pids,
      ...(nanoCpus !== undefined && { NanoCpus: nanoCpus }),
      ...(memoryBytes !== undefined && { Memory: memoryBytes }),
      ...(isolation !== undefined && { Isolation: isolation }),
    },
  };
}

/** Flags that say in other words how many processors a container may use: where the run's are limited, its part says it. */
const quotas = new Set(['cpu-period', 'cpu-quota']);

function optionsOf({ step, scope }: ContainerSource): CmdStep['options'] {
  const isLimited = scope.limits.nanoCpus !== undefined;
  return step.options.filter(({ name }) => name !== 'mount' && !(isLimited && quotas.has(name)));
}

/** Labels of ours; a flag must not take them away. */
function ownLabels({ scope, step, attempt }: ContainerSource, { nanoCpus }: ContainerLimits): ContainerParts {
  const isLimited = scope.limits.nanoCpus !== undefined && nanoCpus !== undefined;
  const cap = isLimited ? { [labels.cpus]: String(nanoCpus) } : {};
  return { config: { Labels: { ...labelsOf(scope, { id: step.id, attempt }), ...cap } } };
}

function rightsOf({ step }: ContainerSource): ContainerParts {
  return { host: step.privileged ? { Privileged: true } : { CapDrop: droppedRights } };
}

/** The run's own engine socket where clients look for the engine's. */
function socketOf({ step, scope: { engineAccess } }: ContainerSource): readonly object[] {
  if (!step.usesEngine || engineAccess?.kind !== 'socket') return [];
  return [{ Type: 'bind', Source: engineAccess.path, Target: usualSocket }];
}

const builderVariable = 'DOCKER_BUILDKIT';

/** The engine socket of a run has no BuildKit: clients are told to do without, unless the task says otherwise. */
function engineEnv({ usesEngine, env }: CmdStep): readonly string[] {
  return usesEngine && env.every(({ name }) => name !== builderVariable) ? [`${builderVariable}=0`] : [];
}

function portsOf({ step, image }: ContainerSource): ContainerParts {
  const all = step.options.some(({ name }) => name === 'publish-all') ? image.exposed : undefined;
  const { exposed, bindings } = publishPorts(step.ports, step.expose, all);
  return { config: { ExposedPorts: exposed }, host: { PortBindings: bindings } };
}

function baseOf(
  { scope, step, attempt, image, place, hasInit }: ContainerSource,
  mounts: readonly object[],
): ContainerParts {
  const env = step.env.map(({ name, value }) => `${name}=${value}`);
  return {
    config: {
      Image: image.id,
      ...commandOf(step, image),
      Env: ['HOME=/acb/home', ...engineEnv(step), ...env],
      Labels: labelsOf(scope, { id: step.id, attempt }),
      ...(step.workingDirectory !== undefined && { WorkingDir: step.workingDirectory }),
      ...(step.user !== undefined && { User: step.user }),
    },
    host: { NetworkMode: place.mode, Init: hasInit, LogConfig: logging, Mounts: mounts },
    endpoint: place.hasNames ? { Aliases: [step.id] } : {},
  };
}

/** A container to be created. */
export interface ContainerSpec {
  /** The body of `POST /containers/create`. */
  readonly body: object;
  readonly platform: string | undefined;
  /** True when the container has a terminal: its output is then one stream. */
  readonly isTerminal: boolean;
}

/**
 * Describes the container of a step for the Engine API.
 * @throws `unsupported` for what would leave the container, `invalid-request` for values that are none.
 */
export function describeContainer(source: ContainerSource, mountOf: MountOf): ContainerSpec {
  const { step, scope, place } = source;
  const limits = scope.limits.of(step);
  const options = optionsOf(source);
  const flags = step.options.filter(({ name }) => name === 'mount').map(({ value = '' }) => parseMount(value));
  const mounts = [...source.mounts, ...socketOf(source), ...flags.map((flag) => readMount(source, mountOf, flag))];
  const parts = [
    limitsOf(step, limits),
    rightsOf(source),
    portsOf(source),
    readRunOptions(options, scope.settings.allowPrivileged ?? false),
    ownLabels(source, limits),
  ].reduce(joinParts, baseOf(source, mounts));
  const endpoint = place.hasNames ? { NetworkingConfig: { EndpointsConfig: { [place.mode]: parts.endpoint } } } : {};
  return {
    body: { ...parts.config, HostConfig: parts.host, ...endpoint },
    platform: options.findLast(({ name }) => name === 'platform')?.value,
    isTerminal: parts.config?.['Tty'] === true,
  };
}
