import { setTimeout as pauseFor } from 'node:timers/promises';
import type { ContainerSpec } from './container-spec.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { isConflict, removeQuietly } from './images.ts';
import { numberField, objectField, textField } from './json-lines.ts';
import type { EngineCalls } from './request.ts';

/** How a container ended. */
export interface Exit {
  readonly code: number;
  /** It was removed by somebody else while it ran; its code is not known. */
  readonly isGone: boolean;
}

/** Creates a container; resolves with its id. Rejects with the engine's refusal. */
export async function createContainer(engine: EngineCalls, name: string, spec: ContainerSpec): Promise<string> {
  const query = { name, platform: spec.platform };
  const request = { method: 'POST', path: '/containers/create', query, body: spec.body, deadlineMs: 60_000 } as const;
  try {
    return textField(await engine.json(request), 'Id') ?? name;
  } catch (error) {
    if (!isConflict(error)) throw error;
    // The name is of this very try: what has it was left by a call whose answer got lost.
    await removeContainer(engine, name);
    return textField(await engine.json(request), 'Id') ?? name;
  }
}

/** Opens the stream of a container's output; before its start, so that nothing is missed. */
export function attachContainer(engine: EngineCalls, id: string): ReturnType<EngineCalls['stream']> {
  const query = { stream: '1', stdout: '1', stderr: '1' };
  return engine.stream({ method: 'POST', path: `/containers/${id}/attach`, query });
}

/** What the engine knows of a container. */
export interface ContainerState {
  readonly id: string;
  readonly status: 'created' | 'running' | 'ended';
  readonly exitCode: number;
  /** True when it has a terminal: its output is then one stream. */
  readonly isTerminal: boolean;
}

/** Looks at a container by its id or name; undefined when there is none. */
export async function inspectContainer(engine: EngineCalls, id: string): Promise<ContainerState | undefined> {
  try {
    const answer = await engine.json({ method: 'GET', path: `/containers/${id}/json` });
    const state = objectField(answer, 'State');
    const status = textField(state, 'Status') ?? '';
    const isOver = status === 'exited' || status === 'dead';
    return {
      id: textField(answer, 'Id') ?? id,
      status: status === 'created' ? 'created' : isOver ? 'ended' : 'running',
      exitCode: numberField(state, 'ExitCode'),
      isTerminal: objectField(objectField(answer, 'Config'), 'Tty') === true,
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Opens the stream of everything that a container has written and will write, as {@link attachContainer} does for a new one. */
export function readContainerLog(engine: EngineCalls, id: string): ReturnType<EngineCalls['stream']> {
  const query = { follow: '1', stdout: '1', stderr: '1' };
  return engine.stream({ method: 'GET', path: `/containers/${id}/logs`, query });
}

/** A container's end; undefined while it runs. */
async function findExit(engine: EngineCalls, id: string): Promise<Exit | undefined> {
  const state = await inspectContainer(engine, id);
  if (!state) return { code: 137, isGone: true };
  return state.status === 'ended' ? { code: state.exitCode, isGone: false } : undefined;
}

/** Asks for the end with one call that is answered when it has come. */
async function askExit(engine: EngineCalls, id: string, signal: AbortSignal): Promise<Exit> {
  const call = { method: 'POST', path: `/containers/${id}/wait`, query: { condition: 'not-running' } } as const;
  try {
    const answer = await engine.json({ ...call, signal, deadlineMs: 'none' });
    if (typeof objectField(answer, 'StatusCode') === 'number') {
      return { code: numberField(answer, 'StatusCode'), isGone: false };
    }
  } catch (error) {
    if (isMissing(error)) return { code: 137, isGone: true };
    if (signal.aborted || error instanceof EngineRefusal) throw error;
    // A connection that broke says nothing about the container; the engine is asked in another way.
    const exit = await findExit(engine, id);
    if (exit) return exit;
  }
  return lookForExit(engine, id, signal, 500);
}

async function lookForExit(engine: EngineCalls, id: string, signal: AbortSignal, paceMs: number): Promise<Exit> {
  for (;;) {
    await pauseFor(paceMs, undefined, { signal, ref: false });
    const exit = await findExit(engine, id);
    if (exit) return exit;
  }
}

/** Between two looks at a container whose end the engine has promised to tell. */
const witnessPaceMs = 10_000;

/**
 * Resolves when a started container has ended. The engine's own word is not enough: it has been known to miss an end, so that the container
 * is looked at now and then, and soon after its output is over. Rejects with `engine-unavailable`.
 */
export async function waitForExit(engine: EngineCalls, id: string, outputEnded: Promise<void>): Promise<Exit> {
  const over = new AbortController();
  const witness = async (): Promise<Exit> => {
    const first = outputEnded.then(() => lookForExit(engine, id, over.signal, 1000));
    return Promise.race([first, lookForExit(engine, id, over.signal, witnessPaceMs)]);
  };
  try {
    const both = [askExit(engine, id, over.signal), witness()];
    for (const one of both) one.catch(() => undefined);
    return await Promise.race(both);
  } finally {
    over.abort();
  }
}

/** True when the kernel killed the container for want of memory. */
export async function isOutOfMemory(engine: EngineCalls, id: string): Promise<boolean> {
  const answer = await engine.json({ method: 'GET', path: `/containers/${id}/json` }).catch(() => undefined);
  return objectField(objectField(answer, 'State'), 'OOMKilled') === true;
}

/** Removes a container, with the volumes that have no name; kills it when it runs. */
export async function removeContainer(engine: EngineCalls, id: string): Promise<void> {
  const gone = await removeQuietly(engine, `/containers/${id}`, { force: '1', v: '1' });
  // A refusal means that it is gone, or that somebody removes it at this moment.
  for (let tries = 0; !gone && tries < 100; tries += 1) {
    const isThere = await engine.json({ method: 'GET', path: `/containers/${id}/json` }).catch(isOtherThanMissing);
    if (isThere === false) return;
    await pauseFor(50);
  }
}

function isOtherThanMissing(error: unknown): boolean {
  if (isMissing(error)) return false;
  throw error;
}

const graceSeconds = 2;

/** Asks a container to end, kills it when it has not after two seconds, and removes it; resolves when it is gone. */
export async function stopContainer(engine: EngineCalls, id: string): Promise<void> {
  const stop = { method: 'POST', path: `/containers/${id}/stop`, query: { t: String(graceSeconds) } } as const;
  await engine.json({ ...stop, deadlineMs: 15_000 }).catch(() => undefined); // removing it kills it
  await removeContainer(engine, id);
}
