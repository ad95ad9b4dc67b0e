import { setTimeout as pauseFor } from 'node:timers/promises';
import { posix } from 'node:path';
import { PassThrough } from 'node:stream';
import { pack, type Pack } from 'tar-stream';
import { fail } from '../../domain/failure.ts';
import type { Volume } from '../../domain/step.ts';
import { createContainer } from './container.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { removeQuietly } from './images.ts';
import type { FreshContainer, Mount } from './mount.ts';
import { labelsOf, type RunScope } from './scope.ts';

/**
 * Options of the engine's `local` driver for a volume that is in memory. Such a volume is empty again once no container has it that runs
 * or is written to.
 */
export const inMemory = {
  Name: 'local',
  Options: { type: 'tmpfs', device: 'tmpfs', o: 'size=16m,mode=0755,nosuid,nodev' },
} as const;

/** A volume with its files, where a container has it. */
export interface SecretMount {
  readonly mount: Mount;
  readonly files: Volume['files'];
}

/** What is put into a container that has not started. */
export interface SecretFill {
  readonly container: FreshContainer;
  readonly mounts: readonly SecretMount[];
  /** A name on the engine for the container that helps; no other fill has it. */
  readonly helper: string;
}

interface SentFile {
  readonly path: string;
  readonly bytes: number;
}

/** Writes the files of all volumes, byte for byte, readable for every user of the container; gives the last one. */
function writeFiles(tar: Pack, mounts: readonly SecretMount[]): SentFile | undefined {
  let last: SentFile | undefined;
  for (const { mount, files } of mounts) {
    for (const { name, contentBase64 } of files) {
      const path = posix.join(mount.Target, name);
      const content = Buffer.from(contentBase64, 'base64');
      tar.entry({ name: path.slice(1), mode: 0o644, mtime: new Date(0) }, content);
      last = { path, bytes: content.length };
    }
  }
  return last;
}

/** The bytes of a file in a container; -1 when there is none. */
async function sizeOf({ engine }: RunScope, container: string, path: string): Promise<number> {
  try {
    const answer = await engine.stream({ method: 'HEAD', path: `/containers/${container}/archive`, query: { path } });
    answer.resume();
    const stat = String(answer.headers['x-docker-container-path-stat']);
    return (JSON.parse(Buffer.from(stat, 'base64').toString()) as { size: number }).size;
  } catch (error) {
    if (isMissing(error)) return -1;
    throw error;
  }
}

const paceMs = 5;
const patienceMs = 30_000;

/** Resolves when the file is there whole. */
async function waitForFile(scope: RunScope, container: string, { path, bytes }: SentFile): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += paceMs) {
    if ((await sizeOf(scope, container, path)) === bytes) return;
    await pauseFor(paceMs);
  }
  throw fail('engine-unavailable', `the container engine did not write the secret files of a step in time`);
}

function refuse(error: unknown): never {
  if (!(error instanceof EngineRefusal)) throw error;
  throw fail('unsupported', `the secret files could not be put into the container: ${error.message}`);
}

/**
 * Puts files into volumes that are in memory, for a container that has them and has not started: an archive is sent to a second container
 * with the same volumes, which never runs, and is left without its end. As long as the engine waits for it, the volumes are there.
 * @returns lets go; to be called once the first container runs and has the volumes itself, or never will.
 * @throws `unsupported` where the engine cannot do it.
 */
export async function fillInMemory(scope: RunScope, fill: SecretFill): Promise<() => void> {
  const { engine } = scope;
  const { container, mounts, helper: name } = fill;
  const host = { NetworkMode: 'none', Mounts: mounts.map(({ mount }) => mount) };
  const body = { Image: container.image, Cmd: ['true'], Labels: labelsOf(scope), HostConfig: host };
  const helper = await createContainer(engine, name, { body, platform: undefined, isTerminal: false }).catch(refuse);
  const tar = pack();
  const last = writeFiles(tar, mounts);
  const sending = engine.json({
    method: 'PUT',
    path: `/containers/${helper}/archive`,
    query: { path: '/' },
    headers: { 'Content-Type': 'application/x-tar' },
    file: tar.pipe(new PassThrough()),
    deadlineMs: 'none',
  });
  const letGo = (): void => {
    tar.finalize();
    void scope.inBackground('removing a container', async () => {
      await sending.catch(() => undefined); // it was looked at above
      await removeQuietly(engine, `/containers/${helper}`, { force: '1' });
    });
  };
  try {
    const refused = sending.then(() => Promise.reject(new Error('the archive was ended early')));
    if (last) await Promise.race([waitForFile(scope, container.id, last), refused]);
    else sending.catch(() => undefined); // nothing was asked for
    return letGo;
  } catch (error) {
    letGo();
    return refuse(error);
  }
}
