import { posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { fail } from '../../domain/failure.ts';
import type { BuildStep } from '../../domain/step.ts';
import type { Context } from '../../source/ports.ts';
import { changeArchive } from './context-archive.ts';
import { createContainer } from './container.ts';
import { isMissing } from './errors.ts';
import { labelsOf, nameOf, type RunScope } from './scope.ts';
import { workspacePath, type RunVolumes } from './volumes.ts';

/** Which state of its source a context is. */
export type ContextState = Pick<Context, 'commit' | 'revision'>;

/** What a build reads. */
export interface BuildSource {
  readonly context: Context;
  /** Path in the context; undefined: `Dockerfile`. */
  readonly dockerfile: string | undefined;
}

/** Finds the contexts of a run's build steps. */
export interface BuildSources {
  /** @throws `invalid-request`, `invalid-context`, `unsupported`, and what opening a remote context rejects with. */
  open(step: BuildStep, signal: AbortSignal): Promise<BuildSource>;
}

const maxDockerfileBytes = 1024 * 1024;
/** The name of a Dockerfile from outside the context; no file of a user is called so. */
const outerDockerfile = '.slipway.Dockerfile';

/** A path of the workspace, relative to it; `..` and the like are gone. @throws `invalid-request` */
function pathInWorkspace(directory: string, path: string): string {
  const absolute = posix.resolve(workspacePath, directory, path);
  const relative = posix.relative(workspacePath, absolute);
  if (relative !== '..' && !relative.startsWith('../')) return relative;
  throw fail('invalid-request', `${path} is outside ${workspacePath}, which is all that a build step can read`);
}

/** A place in the workspace that a build reads, and its Dockerfile. */
interface LocalPlace {
  readonly folder: string;
  /** Relative to the folder; undefined when it lies outside of it. */
  readonly inner: string | undefined;
  /** Relative to the workspace. */
  readonly dockerfile: string;
}

function placeOf(step: BuildStep, path: string): LocalPlace {
  const folder = pathInWorkspace(step.workingDirectory, path);
  const named = step.dockerfile;
  const dockerfile =
    named === undefined ? posix.join(folder, 'Dockerfile') : pathInWorkspace(step.workingDirectory, named);
  const inner = posix.relative(folder, dockerfile);
  return { folder, dockerfile, inner: inner.startsWith('../') ? undefined : inner };
}

/** What the workspace can be read from: the context while they are the same, later the volume. */
interface Reader {
  openFolder(folder: string): Promise<Readable>;
  /** The whole of it, without what its ignore file leaves out; absent where that is not known before. */
  readonly openForBuild?: NonNullable<Context['openForBuild']>;
  readFile(path: string): Promise<string | undefined>;
}

function readerOfContext(context: Context): Reader {
  const openForBuild = context.openForBuild?.bind(context);
  return {
    ...(openForBuild && { openForBuild }),
    openFolder: async (folder) => {
      const whole = await context.open();
      return folder === '' ? whole : changeArchive(whole, { folder });
    },
    readFile: (path) => context.readFile(path, maxDockerfileBytes),
  };
}

async function firstFile(tar: Readable): Promise<string | undefined> {
  const entries = extract();
  tar.on('error', (error) => entries.destroy(error)).pipe(entries);
  for await (const entry of entries) {
    if (entry.header.type === 'file' && entry.header.size <= maxDockerfileBytes) {
      return (await buffer(entry)).toString('utf8');
    }
    entry.resume();
  }
  return undefined;
}

/** Reads the volume through a container that never runs. */
function readerOfVolume(scope: RunScope, container: string): Reader {
  const get = async (path: string): Promise<Readable | undefined> => {
    const request = { method: 'GET', path: `/containers/${container}/archive`, query: { path } } as const;
    try {
      return await scope.engine.stream({ ...request, deadlineMs: 120_000 });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };
  return {
    openFolder: async (folder) => {
      // With `/.` the engine sends what is in the folder, not the folder.
      const tar = await get(`${posix.join(workspacePath, folder)}/.`);
      if (tar) return tar;
      throw fail('invalid-context', `there is no folder ${posix.join(workspacePath, folder)}`);
    },
    readFile: async (path) => {
      const tar = await get(posix.join(workspacePath, path));
      return tar && firstFile(tar);
    },
  };
}

async function createHolder(scope: RunScope, volumes: RunVolumes, image: string): Promise<string> {
  await volumes.ready();
  const host = { NetworkMode: 'none', Mounts: [volumes.workspace()] };
  const body = { Image: image, Cmd: ['true'], Labels: labelsOf(scope), HostConfig: host };
  return createContainer(scope.engine, nameOf(scope, 'workspace'), { body, platform: undefined, isTerminal: false });
}

function withoutIgnored(context: Context, { settings }: RunScope, dockerfile: string | undefined): Context {
  const { packIgnored } = settings;
  const openForBuild = context.openForBuild?.bind(context);
  if (openForBuild) return { ...context, open: () => openForBuild(dockerfile) };
  if (!packIgnored) return context;
  return { ...context, open: async () => packIgnored(await context.open(), dockerfile) };
}

/** Puts a Dockerfile that lies outside the context into it. */
async function withDockerfile(source: BuildSource, reader: Reader, path: string): Promise<BuildSource> {
  const text = await reader.readFile(path);
  if (text === undefined) throw fail('invalid-context', `there is no Dockerfile ${path}`);
  const { context } = source;
  const add = { name: outerDockerfile, text };
  const open = async (): Promise<Readable> => changeArchive(await context.open(), { folder: '', add });
  const readFile: Context['readFile'] = async (name, maxBytes) =>
    name === outerDockerfile ? text : context.readFile(name, maxBytes);
  return { context: { ...context, open, readFile }, dockerfile: outerDockerfile };
}

/** Prepares finding the contexts of a run's builds; `keep` takes over a container that is to go at the end of the run. */
export function createBuildSources(
  scope: RunScope,
  volumes: RunVolumes,
  keep: (container: string) => void,
): BuildSources {
  const hasContainers = scope.plan.steps.some(({ kind }) => kind === 'cmd');
  let holder: Promise<string> | undefined;
  const readerNow = async (): Promise<Reader> => {
    const image = volumes.workspaceImage();
    if (image !== undefined) {
      holder ??= createHolder(scope, volumes, image);
      const container = await holder;
      keep(container);
      return readerOfVolume(scope, container);
    }
    const { context } = scope.setup;
    if (context) return readerOfContext(context);
    throw fail('invalid-context', 'the run has no context to build from');
  };
  const openLocal = async (step: BuildStep, path: string): Promise<BuildSource> => {
    const { folder, inner, dockerfile } = placeOf(step, path);
    const reader = await readerNow();
    const { commit, revision } = scope.setup.context ?? {};
    const context: Context = {
      description: posix.join(workspacePath, folder),
      open: () => reader.openFolder(folder),
      readFile: (name) => reader.readFile(posix.join(folder, name)),
      ...(commit !== undefined && { commit }),
      ...(revision !== undefined && { revision }),
      ...(reader.openForBuild && folder === '' && { openForBuild: reader.openForBuild }),
      dispose: async () => {},
    };
    const isPart = hasContainers || folder !== '';
    const isFiltered = isPart || context.openForBuild !== undefined;
    const source = { context: isFiltered ? withoutIgnored(context, scope, inner) : context, dockerfile: inner };
    return inner === undefined ? withDockerfile(source, reader, dockerfile) : source;
  };
  return {
    open: async (step, signal) => {
      if (step.context.kind === 'local') return openLocal(step, step.context.path);
      const { openRemoteContext } = scope.setup;
      if (!openRemoteContext) throw fail('unsupported', 'contexts from elsewhere cannot be read here');
      const context = await openRemoteContext(step.context.url, signal);
      return { context: withoutIgnored(context, scope, step.dockerfile), dockerfile: step.dockerfile };
    },
  };
}
