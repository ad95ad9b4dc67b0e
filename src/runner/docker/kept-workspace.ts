import { posix } from 'node:path';
import { fail } from '../../domain/failure.ts';
import type { NamedAttempt } from '../../engine/ports.ts';
import { createContainer, removeContainer } from './container.ts';
import { isMissing } from './errors.ts';
import { numberField, objectField, textField } from './json-lines.ts';
import type { Mount } from './mount.ts';
import type { EngineCalls } from './request.ts';
import { labels, labelsOf, nameOf, type KeptWorkspace, type RunScope } from './scope.ts';

/** What the names of a run's volumes begin with. */
function prefixOf(scope: Parameters<typeof nameOf>[0]): string {
  return nameOf(scope, '');
}

function listOf(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}

/** The names of the volumes of this attempt, but for those with secrets. */
async function listVolumes(scope: RunScope): Promise<readonly string[]> {
  const label = Object.entries(labelsOf(scope)).map(([name, value]) => `${name}=${value}`);
  const query = { filters: JSON.stringify({ label }) };
  const answer = await scope.engine.json({ method: 'GET', path: '/volumes', query });
  const names = listOf(objectField(answer, 'Volumes')).map((one) => textField(one, 'Name') ?? '');
  const prefix = prefixOf(scope);
  return names.filter((name) => name.startsWith(prefix) && !name.startsWith(`${prefix}secret-`));
}

/**
 * Keeps the volumes of a run, but for secrets: a container of `image` (an id) that never runs holds them, and the image. Resolves with the
 * names of the volumes.
 */
export async function keepWorkspace(scope: RunScope, image: string): Promise<readonly string[]> {
  const names = await listVolumes(scope);
  const prefix = prefixOf(scope);
  const mounts = names.map((name) => ({
    Type: 'volume',
    Source: name,
    Target: `/kept/${name.slice(prefix.length)}`,
    VolumeOptions: { NoCopy: true },
  }));
  const body = {
    Image: image,
    Cmd: ['true'],
    Labels: { ...labelsOf(scope), [labels.origin]: 'kept' },
    HostConfig: { NetworkMode: 'none', Mounts: mounts },
  };
  await createContainer(scope.engine, nameOf(scope, 'kept'), { body, platform: undefined, isTerminal: false });
  return names;
}

/** Looks for what was kept of a run; undefined when nothing was, or not any more. */
export async function findKept(
  engine: EngineCalls,
  installation: string,
  run: NamedAttempt,
): Promise<KeptWorkspace | undefined> {
  const named = { installation, setup: run };
  try {
    const answer = await engine.json({ method: 'GET', path: `/containers/${nameOf(named, 'kept')}/json` });
    const prefix = prefixOf(named);
    const volumes = listOf(objectField(answer, 'Mounts')).map((one) => ({
      name: (textField(one, 'Name') ?? '').slice(prefix.length),
      path: textField(one, 'Destination') ?? '',
    }));
    return { container: textField(answer, 'Id') ?? '', image: textField(answer, 'Image') ?? '', volumes };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** As {@link findKept}, for a run that is to begin with it. Rejects with `not-found`. */
export async function requireKept(
  engine: EngineCalls,
  installation: string,
  run: NamedAttempt,
): Promise<KeptWorkspace> {
  const kept = await findKept(engine, installation, run);
  if (kept) return kept;
  throw fail('not-found', `the workspace of run ${run.runId} is not kept any more`);
}

/** Sends one volume from container to container, by way of this process: with owners, modes and links, its own root's too. */
async function copyVolume(engine: EngineCalls, from: string, to: string, path: string): Promise<void> {
  const get = { method: 'GET', path: `/containers/${from}/archive`, query: { path } } as const;
  const tar = await engine.stream({ ...get, deadlineMs: 120_000 });
  try {
    await engine.json({
      method: 'PUT',
      path: `/containers/${to}/archive`,
      query: { path: posix.dirname(path) },
      headers: { 'Content-Type': 'application/x-tar' },
      file: tar,
      deadlineMs: 'none',
    });
  } finally {
    tar.destroy();
  }
}

/**
 * Copies all that was kept of another run into volumes of this one, which nothing must have been put into; `mount` names them. What was kept
 * stays as it is. Rejects with `not-found` when it was removed meanwhile.
 */
export async function copyKept(
  scope: RunScope,
  kept: KeptWorkspace,
  mount: (volume: string, path: string) => Mount,
): Promise<void> {
  const { engine } = scope;
  const host = { NetworkMode: 'none', Mounts: kept.volumes.map(({ name, path }) => mount(name, path)) };
  const body = { Image: kept.image, Cmd: ['true'], Labels: labelsOf(scope), HostConfig: host };
  const spec = { body, platform: undefined, isTerminal: false };
  try {
    const helper = await createContainer(engine, nameOf(scope, 'copy'), spec);
    for (const { path } of kept.volumes) await copyVolume(engine, kept.container, helper, path);
    void scope.inBackground('removing a container', () => removeContainer(engine, helper));
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw fail('not-found', 'the workspace of the earlier run was removed while it was copied', { cause: error });
  }
}

/** How much of what failed runs left is kept. */
export interface KeptLimits {
  readonly maxAgeMs: number;
  readonly most: number;
}

/** The runs whose workspaces stay: the newest that are young enough. `now`: milliseconds since the epoch. */
export async function findKeptRuns(
  engine: EngineCalls,
  installation: string,
  { maxAgeMs, most, now }: KeptLimits & { readonly now: number },
): Promise<ReadonlySet<string>> {
  const label = [`${labels.installation}=${installation}`, `${labels.origin}=kept`];
  const query = { all: '1', filters: JSON.stringify({ label }) };
  const all = listOf(await engine.json({ method: 'GET', path: '/containers/json', query }));
  const young = all
    .map((one) => ({ run: textField(objectField(one, 'Labels'), labels.run) ?? '', at: numberField(one, 'Created') }))
    .filter(({ at }) => now - at * 1000 < maxAgeMs)
    .sort((left, right) => right.at - left.at);
  return new Set(young.slice(0, most).map(({ run }) => run));
}
