import type { Readable } from 'node:stream';
import { fail } from '../../domain/failure.ts';
import type { CmdStep } from '../../domain/step.ts';
import type { Context } from '../../source/ports.ts';
import { openContext } from './build-context.ts';
import { EngineRefusal } from './errors.ts';
import { removeQuietly } from './images.ts';
import { copyKept, keepWorkspace } from './kept-workspace.ts';
import type { FreshContainer, Mount } from './mount.ts';
import { labelsOf, nameOf, type RunScope } from './scope.ts';
import { fillInMemory, inMemory, type SecretMount } from './secret-volumes.ts';

/** Where the workspace is in every step. */
export const workspacePath = '/workspace';
const homePath = '/acb/home';

/** What of a step says which volumes it has. */
export type VolumeUser = Pick<CmdStep, 'id' | 'volumeMounts'>;

/**
 * The volumes of one run: the workspace, the home directory, and others that steps name. Those with secrets are in memory, and each step has
 * its own: what it writes there goes with its container.
 */
export interface RunVolumes {
  mountsOf(step: VolumeUser): readonly Mount[];
  /** What all steps have: the workspace and the home directory. */
  shared(): readonly Mount[];
  /** Any volume of the run by its name in the task, declared or not. */
  mount(volume: string, path: string): Mount;
  /** The workspace, for looking into it. */
  workspace(): Mount;
  /**
   * Fills what a step mounts and nobody has filled yet, through its container, which is created and not yet started. What it gives is to be
   * called once the container runs, or never will. Rejects with what kept the context away, and with `unsupported`.
   */
  fill(container: FreshContainer, step: VolumeUser): Promise<() => void>;
  /**
   * The image of a container that has had the workspace; undefined as long as there was none, and the workspace is the same as the
   * context.
   */
  workspaceImage(): string | undefined;
  /** Resolves when the workspace has what an earlier run left in it, where the run goes on from one. Rejects with `not-found`. */
  ready(): Promise<void>;
  /** Keeps them for a run that goes on from here, but for those with secrets; nothing when no container has had them. */
  keep(): Promise<void>;
  /** Removes those that are not kept; no container must have them any more. May be called twice. */
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

/** The mounts of a run's volumes; `used` has the names of all that were asked for. */
function createMounts(scope: RunScope) {
  const { plan } = scope;
  const used = new Set<string>();
  const mount = (volume: string, path: string, driver?: object): Mount => {
    const name = nameOf(scope, volume);
    used.add(name);
    const options = { NoCopy: true, Labels: labelsOf(scope), ...(driver && { DriverConfig: driver }) };
    return { Type: 'volume', Source: name, Target: path, VolumeOptions: options };
  };
  const workspace = (): Mount => mount('workspace', workspacePath);
  const shared = (): readonly Mount[] => [workspace(), mount('home', homePath)];
  const named = (volume: string, path: string): Mount => mount(`volume-${volume}`, path);
  const secretMounts = ({ id, volumeMounts }: VolumeUser): readonly SecretMount[] =>
    volumeMounts.flatMap(({ volume, path }) => {
      const index = plan.volumes.findIndex(({ name }) => name === volume);
      const files = plan.volumes[index]?.files;
      return files ? [{ mount: mount(`secret-${index}-${id}`, path, inMemory), files }] : [];
    });
  const isSecret = (volume: string): boolean => plan.volumes.some(({ name }) => name === volume);
  const mountsOf = (step: VolumeUser): readonly Mount[] => [
    ...shared(),
    ...step.volumeMounts.filter(({ volume }) => !isSecret(volume)).map(({ volume, path }) => named(volume, path)),
    ...secretMounts(step).map((one) => one.mount),
  ];
  return { used, mount, named, workspace, shared, secretMounts, mountsOf };
}

/** Prepares a run's volumes. None is made before a container has it. */
export function createRunVolumes(scope: RunScope): RunVolumes {
  const { setup } = scope;
  const { used, mount, named, workspace, shared, secretMounts, mountsOf } = createMounts(scope);
  let filled: Promise<void> | undefined;
  let fills = 0;
  let workspaceImage = scope.heldImage;
  const ready = async (): Promise<void> => {
    const { kept } = scope;
    if (kept) await (filled ??= copyKept(scope, kept, mount));
  };
  return {
    ...{ mount: named, workspace, shared, mountsOf },
    fill: async (container, step) => {
      const { context } = setup;
      if (scope.kept) await ready();
      else if (context) await (filled ??= fillWorkspace(scope, container.id, context));
      workspaceImage ??= container.image;
      const mounts = secretMounts(step);
      if (mounts.length === 0) return () => undefined;
      return fillInMemory(scope, { container, mounts, helper: nameOf(scope, 'secrets', (fills += 1)) });
    },
    workspaceImage: () => workspaceImage,
    ready,
    keep: async () => {
      if (workspaceImage === undefined) return;
      // What an earlier run left may not have been needed so far: whoever goes on from here needs it.
      await ready();
      for (const name of await keepWorkspace(scope, workspaceImage)) used.delete(name);
    },
    remove: async () => {
      for (const name of used) await removeQuietly(scope.engine, `/volumes/${name}`, { force: '1' });
      used.clear();
    },
  };
}
