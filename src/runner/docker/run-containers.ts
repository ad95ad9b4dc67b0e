import { removeContainer } from './container.ts';
import { objectField, textField } from './json-lines.ts';
import type { EngineCalls } from './request.ts';
import { labels } from './scope.ts';

/** A container that carries a run's labels. */
export interface RunContainer {
  readonly id: string;
  /** Id of its image. */
  readonly image: string;
  /** The step that it does; undefined for one that helps with a build. */
  readonly step: string | undefined;
}

/** Whose containers are meant. */
export interface RunMark {
  readonly installation: string;
  readonly runId: string;
}

/** All containers of a run, running or not, newest first. */
export async function listRunContainers(
  engine: EngineCalls,
  { installation, runId }: RunMark,
): Promise<readonly RunContainer[]> {
  const label = [`${labels.installation}=${installation}`, `${labels.run}=${runId}`];
  const query = { all: '1', filters: JSON.stringify({ label }) };
  const answer = await engine.json({ method: 'GET', path: '/containers/json', query });
  return (Array.isArray(answer) ? answer : []).map((one: unknown) => ({
    id: textField(one, 'Id') ?? '',
    image: textField(one, 'ImageID') ?? '',
    step: textField(objectField(one, 'Labels'), labels.step),
  }));
}

/** Removes all containers of a run. */
export async function removeRunContainers(engine: EngineCalls, mark: RunMark): Promise<void> {
  const all = await listRunContainers(engine, mark);
  await Promise.all(all.map(({ id }) => removeContainer(engine, id)));
}
