import { isEmpty, number, oneOf, passedOver, readFields, flag, show, text, textMap, type Fields } from './fields.ts';
import { refuse, wrong } from './refusal.ts';

/** What mounts of a step's containers may come from. */
export interface MountWorld {
  /** The engine's name of a volume that steps call so, and the labels that it gets with its making. */
  volume(name: string): { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  /** Mounts of the run itself by the path that steps know them by: `/workspace`, `/acb/home`. */
  readonly shared: ReadonlyMap<string, object>;
  /** Where the run's own engine socket is on the engine's machine. */
  readonly socketPath: string;
  /** True where the engine can mount a part of a volume (API 1.45). */
  readonly hasSubpath: boolean;
}

/** Where clients look for an engine's socket. */
const socketPaths = ['/var/run/docker.sock', '/run/docker.sock'];

function tidy(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

function partOf(path: string, root: string): string | undefined {
  if (path === root) return '';
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
}

function mountPart(world: MountWorld, shared: object, part: string, source: string): Fields {
  if (part === '') return { ...shared };
  const options = (shared as { VolumeOptions?: object }).VolumeOptions;
  if (world.hasSubpath) return { ...shared, VolumeOptions: { ...options, Subpath: part } };
  throw refuse(
    `a mount of "${show(source)}"`,
    'this container engine cannot mount a part of the workspace (it needs Docker 26); mount /workspace and name the folder inside',
  );
}

/** What a path of a step means where the engine reads it as a path of its machine. */
function mountPath(world: MountWorld, source: string, target: string, isReadOnly: boolean): Fields {
  const path = tidy(source);
  if (path.split('/').includes('..')) throw refuse(`a mount of "${show(source)}"`, 'write the path without ".."');
  const end = { Target: target, ReadOnly: isReadOnly };
  if (socketPaths.includes(path)) return { Type: 'bind', Source: world.socketPath, ...end };
  for (const [root, shared] of world.shared) {
    const part = partOf(path, root);
    if (part !== undefined) return { ...mountPart(world, shared, part, source), ...end };
  }
  throw refuse(
    `a mount of "${show(source)}"`,
    'it is a path of the machine that runs the containers; /workspace and /acb/home, their folders, and named volumes can be mounted',
  );
}

function mountVolume(world: MountWorld, name: string, target: string): Fields {
  if (name === '') return { Type: 'volume', Target: target };
  const { name: source, labels } = world.volume(name);
  return { Type: 'volume', Source: source, Target: target, VolumeOptions: { Labels: labels } };
}

const bindOptions = new Set(['', 'ro', 'rw', 'z', 'Z', 'nocopy', 'cached', 'delegated', 'consistent']);

/** `-v SOURCE:TARGET[:OPTIONS]`, or a target alone. */
function readBind(world: MountWorld, bind: string): Fields {
  const [first = '', second, written = '', ...more] = bind.split(':');
  const options = written.split(',');
  const target = second ?? first;
  if (more.length > 0 || !target.startsWith('/')) throw wrong(`invalid volume specification: '${show(bind)}'`);
  const unknown = options.find((option) => !bindOptions.has(option));
  if (unknown !== undefined) throw refuse(`the mount option "${show(unknown)}"`, 'it is about folders of the machine');
  const isReadOnly = options.includes('ro');
  if (second === undefined) return mountVolume(world, '', target);
  if (first.startsWith('/')) return mountPath(world, first, target, isReadOnly);
  return { ...mountVolume(world, first, target), ReadOnly: isReadOnly };
}

const volumeOptionRules = {
  NoCopy: flag,
  // The run's labels take their place.
  Labels: textMap,
  DriverConfig: (value: unknown) => {
    readFields(value, { Name: oneOf('', 'local'), Options: textMap }, 'VolumeOptions.DriverConfig');
    const options = (value as { Options?: unknown } | null | undefined)?.Options;
    if (!isEmpty(options)) throw refuse('options of a volume driver', 'they can name folders of the machine');
    return undefined;
  },
};

const mountRules = {
  Type: text,
  Source: text,
  Target: text,
  ReadOnly: flag,
  Consistency: passedOver,
  BindOptions: passedOver,
  VolumeOptions: (value: unknown) => readFields(value, volumeOptionRules, 'VolumeOptions'),
  TmpfsOptions: (value: unknown) => readFields(value, { SizeBytes: number, Mode: number }, 'TmpfsOptions'),
};

function readVolumeMount(world: MountWorld, mount: Fields, target: string): Fields {
  const volume = mountVolume(world, (mount['Source'] ?? '') as string, target);
  const options = { ...(volume['VolumeOptions'] as Fields | undefined) };
  const isEmptyAtFirst = (mount['VolumeOptions'] as Fields | undefined)?.['NoCopy'] === true;
  return { ...volume, ReadOnly: mount['ReadOnly'] === true, VolumeOptions: { ...options, NoCopy: isEmptyAtFirst } };
}

function readMount(world: MountWorld, given: unknown): Fields {
  const mount = readFields(given, mountRules, 'HostConfig.Mounts');
  const target = mount['Target'];
  if (typeof target !== 'string' || !target.startsWith('/')) throw wrong('a mount must have an absolute target');
  switch (mount['Type'] ?? 'volume') {
    case 'tmpfs':
      return { Type: 'tmpfs', Target: target, TmpfsOptions: mount['TmpfsOptions'] ?? {} };
    case 'bind':
      return mountPath(world, (mount['Source'] ?? '') as string, target, mount['ReadOnly'] === true);
    case 'volume':
      return readVolumeMount(world, mount, target);
    default:
      throw refuse(
        `a mount of the type "${show(mount['Type'])}"`,
        'only volume, bind of /workspace, and tmpfs are known',
      );
  }
}

/** The entries of a list that may be absent. */
function listOf(value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(`${field} must be a list`);
  return value;
}

/**
 * Turns the `Binds` and `Mounts` of a container into mounts of what is the run's: its volumes (named so that no other run has them), its
 * workspace and home where their paths are named, its own engine socket, and memory.
 * @throws `forbidden` for everything else.
 */
export function readMounts(world: MountWorld, host: unknown): readonly Fields[] {
  const { Binds, Mounts } = (host ?? {}) as { readonly Binds?: unknown; readonly Mounts?: unknown };
  const binds = listOf(Binds, 'HostConfig.Binds').map((bind) => {
    if (typeof bind !== 'string') throw wrong('HostConfig.Binds must be a list of texts');
    return readBind(world, bind);
  });
  return [...binds, ...listOf(Mounts, 'HostConfig.Mounts').map((mount) => readMount(world, mount))];
}
