import { setTimeout as sleep } from 'node:timers/promises';
import { isMissing } from './errors.ts';
import { objectField, textField } from './json-lines.ts';
import type { EngineCalls } from './request.ts';

async function inspect(engine: EngineCalls, image: string): Promise<unknown> {
  try {
    return await engine.json({ method: 'GET', path: `/images/${image}/json` });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The ids of the images that carry these tags now. */
export async function findImageIds(engine: EngineCalls, tags: readonly string[]): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(tags.map((tag) => inspect(engine, tag)));
  return new Set(answers.map((answer) => textField(answer, 'Id')).filter((id) => id !== undefined));
}

function isEmptyList(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0;
}

/** The container of a step that failed may outlive the answer to its build by a moment, and hold the image. */
const againAfterMs = [100, 400, 1500];

async function removeInTime(engine: EngineCalls, id: string): Promise<void> {
  for (const ms of againAfterMs) {
    if (await removeQuietly(engine, `/images/${id}`)) return;
    await sleep(ms);
    if ((await inspect(engine, id)) === undefined) return;
  }
  await removeQuietly(engine, `/images/${id}`);
}

/**
 * Removes images that no name leads to any more; one that has a tag or digest, or that a container or another image stands on, stays.
 * The engine itself refuses to remove the latter (409). With `since` (milliseconds since the epoch), older images stay too.
 */
export async function removeDangling(engine: EngineCalls, ids: Iterable<string>, since = 0): Promise<void> {
  for (const id of ids) {
    const image = await inspect(engine, id);
    const isDangling = isEmptyList(objectField(image, 'RepoTags')) && isEmptyList(objectField(image, 'RepoDigests'));
    const isYoung = since === 0 || Date.parse(textField(image, 'Created') ?? '') >= since;
    if (image !== undefined && isDangling && isYoung) await removeInTime(engine, id);
  }
}

/** Deletes what may be gone or in use by now; other errors are passed on. */
export async function removeQuietly(
  engine: EngineCalls,
  path: string,
  query: Record<string, string> = {},
): Promise<boolean> {
  try {
    await engine.json({ method: 'DELETE', path, query });
    return true;
  } catch (error) {
    if (isMissing(error) || isConflict(error)) return false;
    throw error;
  }
}

/** True when the engine refuses because of how things are: a name is taken, a thing is in use. */
export function isConflict(error: unknown): boolean {
  return objectField(error, 'status') === 409;
}
