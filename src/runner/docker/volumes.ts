import { pack } from 'tar-stream';
import { PassThrough, type Readable } from 'node:stream';
import { fail } from '../../domain/failure.ts';
import type { CmdStep, Volume } from '../../domain/step.ts';
import type { Context } from '../../source/ports.ts';
import { openContext } from './build-context.ts';
import { EngineRefusal } from './errors.ts';
import { removeQuietly } from './images.ts';
import { labelsOf, nameOf, type RunScope } from './scope.ts';

/** Where the workspace is in every step. */
export const workspacePath = '/workspace';
const homePath = '/acb/home';

/** A mount as the Engine API has it; the volume is made with the first container that has it. */
export interface Mount {
  readonly Type: 'volume';
  readonly Source: string;
  readonly Target: string;
  readonly VolumeOptions: object;
}

/** A container that was created and not started. */
export interface FreshContainer {
  readonly id: string;
  /** Id of its image. */
  readonly image: string;
}

/** The volumes of one run: the workspace, the home directory, those with secrets, and others that steps name. */
export interface RunVolumes {
  mountsOf(step: Pick<CmdStep, 'volumeMounts'>): readonly Mount[];
  /** Any volume of the run by its name in the task, declared or not. */
  mount(volume: string, path: string): Mount;
  /** The workspace, for looking into it. */
  workspace(): Mount;
  /**
   * Fills what a step mounts and nobody has filled yet, through its container, which is created and not yet started.
   * Rejects with what kept the context away.
   */
  fill(container: FreshContainer, step: Pick<CmdStep, 'volumeMounts'>): Promise<void>;
  /**
   * The image of a container that has had the workspace; undefined as long as there was none, and the workspace is the same as the
   * context.
   */
  workspaceImage(): string | undefined;
  /** Removes them; no container must have them any more. May be called twice. */
  remove(): Promise<void>;
}

/** Sends a tar archive (plain, or packed in a way that the engine knows) into a directory of a container. */
async function putArchive(scope: RunScope, container: string, path: string, tar: Readable): Promise<void> {
  await scope.engine.json({
    method: 'PUT',
    path: `/containers/${container}/archive`,
    query: { path },
    headers: { 'Content-Type': 'application/x-tar' },
    file: tar,
    deadlineMs: 'none',
  });
}

async function fillWorkspace(scope: RunScope, container: string, context: Context): Promise<void> {
  const source = await openContext(context, () => {});
  try {
    await putArchive(scope, container, workspacePath, source.stream);
  } catch (error) {
    if (source.fault() !== undefined) throw source.fault();
    if (!(error instanceof EngineRefusal)) throw error;
    throw fail('invalid-context', `the context could not be put into the workspace: ${error.message}`);
  } finally {
    source.stream.destroy();
  }
}

/** The files of a secret volume, byte for byte; readable for every user of the container. */
function packFiles({ files }: Volume): Readable {
  const tar = pack();
  for (const { name, contentBase64 } of files) {
    tar.entry({ name, mode: 0o644, mtime: new Date(0) }, Buffer.from(contentBase64, 'base64'));
  }
  tar.finalize();
  return tar.pipe(new PassThrough());
}

/** Prepares a run's volumes. None is made before a container has it. */
export function createRunVolumes(scope: RunScope): RunVolumes {
  const { setup, plan } = scope;
  const used = new Set<string>();
  const filled = new Map<string, Promise<void>>();
  let workspaceImage: string | undefined;
  const mount = (volume: string, path: string): Mount => {
    const name = nameOf(scope, volume);
    used.add(name);
    const options = { NoCopy: true, Labels: labelsOf(scope) };
    return { Type: 'volume', Source: name, Target: path, VolumeOptions: options };
  };
  const fillOnce = (name: string, work: () => Promise<void>): Promise<void> => {
    const known = filled.get(name) ?? work();
    filled.set(name, known);
    return known;
  };
  const fillSecret = (container: string, name: string, path: string): Promise<void> => {
    const volume = plan.volumes.find((one) => one.name === name);
    if (!volume) return Promise.resolve();
    return fillOnce(`volume-${name}`, () => putArchive(scope, container, path, packFiles(volume)));
  };
  const workspace = (): Mount => mount('workspace', workspacePath);
  const named = (volume: string, path: string): Mount => mount(`volume-${volume}`, path);
  return {
    mount: named,
    workspace,
    mountsOf: ({ volumeMounts }) => [
      workspace(),
      mount('home', homePath),
      ...volumeMounts.map(({ volume, path }) => named(volume, path)),
    ],
    fill: async ({ id: container, image }, { volumeMounts }) => {
      const { context } = setup;
      if (context) await fillOnce('workspace', () => fillWorkspace(scope, container, context));
      workspaceImage ??= image;
      for (const { volume, path } of volumeMounts) await fillSecret(container, volume, path);
    },
    workspaceImage: () => workspaceImage,
    remove: async () => {
      for (const name of used) await removeQuietly(scope.engine, `/volumes/${name}`, { force: '1' });
      used.clear();
    },
  };
}
