import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { removeContainer } from '../container.ts';
import type { ModemOptions } from '../host.ts';
import { removeQuietly } from '../images.ts';
import { objectField, textField } from '../json-lines.ts';
import { labels, type EngineAccess, type RunScope } from '../scope.ts';
import type { RunVolumes } from '../volumes.ts';
import { createRunImages } from './images.ts';
import { madeLabels } from './labels.ts';
import type { Means } from './means.ts';
import { createNames } from './names.ts';
import { createRunObjects, runLabels } from './objects.ts';
import { maxPathBytes, socketPathOf } from './paths.ts';
import { listenAt, type SocketServer } from './server.ts';

/** The engine socket of one run, for its steps that drive the engine. */
export interface RunSocket {
  /** Opens it with the first call. Resolves with the socket, or with why there can be none; rejects never. */
  open(): Promise<EngineAccess>;
  /**
   * Closes it, and removes the containers that steps made by it; resolves when none of them is left. Rejects with `engine-unavailable`.
   * Nothing is done when it was never opened.
   */
  close(): Promise<void>;
  /** Closes it and leaves on the engine what is there: another worker goes on with the run. */
  abandon(): void;
  /** Removes networks and volumes that steps made by it; no container must have them any more. */
  removeShared(): Promise<void>;
}

const unavailable = (why: string): EngineAccess => ({ kind: 'refused', why });

/** True when paths here are paths on the engine's machine as far as one can know. */
function isNear({ socketPath, host }: ModemOptions): boolean {
  return socketPath !== undefined || host === 'localhost' || host === '[::1]' || /^127\./.test(host ?? '');
}

function meansOf(scope: RunScope, address: ModemOptions, volumes: RunVolumes, socketPath: string): Means {
  const names = createNames(scope);
  const shared = volumes.shared().map((mount) => [mount.Target, mount] as const);
  return {
    scope,
    address,
    names,
    objects: createRunObjects(scope, names),
    images: createRunImages(scope.plan, scope.settings.images ?? {}),
    labels: madeLabels(scope),
    shared: new Map(shared),
    socketPath,
    createId: () => randomUUID().replaceAll('-', ''),
  };
}

interface Listening {
  readonly access: EngineAccess;
  readonly server?: SocketServer;
}

async function listen(scope: RunScope, volumes: RunVolumes): Promise<Listening> {
  const { address, settings, setup } = scope;
  const { socketDirectory } = settings;
  if (address === undefined || !isNear(address)) {
    return {
      access: unavailable('the container engine is on another machine, where the socket of this run cannot be mounted'),
    };
  }
  if (socketDirectory === undefined) return { access: unavailable('no directory for sockets is configured') };
  const path = socketPathOf(socketDirectory, { installation: scope.installation, ...setup });
  if (Buffer.byteLength(path) > maxPathBytes) {
    return {
      access: unavailable(`the path ${path} is too long for a socket; set SLIPWAY_SOCKET_DIR to a shorter one`),
    };
  }
  try {
    await mkdir(socketDirectory, { recursive: true, mode: 0o700 });
    const server = await listenAt(path, meansOf(scope, address, volumes, path));
    return { access: { kind: 'socket', path }, server };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    return { access: unavailable(`its socket could not be opened in ${socketDirectory} (${String(code)})`) };
  }
}

function madeByRun(scope: RunScope): string {
  const all = { ...runLabels(scope), [labels.origin]: 'socket' };
  return JSON.stringify({ label: Object.entries(all).map(([name, value]) => `${name}=${value}`) });
}

async function idsOf(scope: RunScope, path: string, key: string): Promise<readonly string[]> {
  const query = { filters: madeByRun(scope), all: '1' };
  const answer = await scope.engine.json({ method: 'GET', path, query });
  const list = path === '/volumes' ? objectField(answer, 'Volumes') : answer;
  return (Array.isArray(list) ? list : []).map((one) => textField(one, key)).filter((id) => id !== undefined);
}

async function removeContainers(scope: RunScope): Promise<void> {
  const ids = await idsOf(scope, '/containers/json', 'Id');
  await Promise.all(ids.map((id) => removeContainer(scope.engine, id)));
}

async function removeNetworksAndVolumes(scope: RunScope): Promise<void> {
  for (const id of await idsOf(scope, '/networks', 'Id')) await removeQuietly(scope.engine, `/networks/${id}`);
  for (const name of await idsOf(scope, '/volumes', 'Name')) {
    await removeQuietly(scope.engine, `/volumes/${encodeURIComponent(name)}`, { force: '1' });
  }
}

/** Prepares a run's engine socket; nothing is opened before a step needs it. */
export function createRunSocket(scope: RunScope, volumes: RunVolumes): RunSocket {
  let listening: Promise<Listening> | undefined;
  let isClosed = false;
  return {
    open: async () => {
      if (isClosed) return unavailable('the run is over');
      listening ??= listen(scope, volumes);
      return (await listening).access;
    },
    close: async () => {
      isClosed = true;
      const server = (await listening)?.server;
      if (server === undefined) return;
      await server.close();
      await removeContainers(scope);
    },
    abandon: () => {
      isClosed = true;
      void listening?.then(({ server }) => server?.close());
    },
    removeShared: async () => {
      if ((await listening)?.server !== undefined) await removeNetworksAndVolumes(scope);
    },
  };
}
