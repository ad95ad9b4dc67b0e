import type { TaskImages } from '../domain/base-image.ts';
import { describeDependencies, type ImageEntry } from '../domain/dependency-document.ts';
import { createReach } from '../egress/reach.ts';
import type { Noticing } from '../patch/learn/describe-bases.ts';
import type { AppConfig } from './options.ts';

/** An entry of a step's `baseImageDependencies` (azure-api.md §6.4). */
interface BaseDependency extends Omit<ImageEntry, 'reference'> {
  readonly type: 'BuildTime' | 'RunTime';
}

function dependencyOf({ reference: _, ...image }: ImageEntry, type: BaseDependency['type']): BaseDependency {
  return { type, ...image };
}

/** What the images that a task makes stand on, each base once for each way; `digest` is what they were built on last. */
export function describeBaseDependencies({ images }: TaskImages): readonly BaseDependency[] {
  const entries = describeDependencies(images, []);
  const all = [
    ...entries.flatMap(({ 'runtime-dependency': one }) => (one === undefined ? [] : [dependencyOf(one, 'RunTime')])),
    ...entries.flatMap(({ 'buildtime-dependency': some = [] }) => some.map((one) => dependencyOf(one, 'BuildTime'))),
  ];
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

/** How this installation notices that a base image has changed. */
export function noticingOf({
  url,
  registryHost,
  patching,
  egressAllow = [],
}: Pick<AppConfig, 'url' | 'registryHost' | 'patching' | 'egressAllow'>): Noticing {
  const { hookSecrets = [], pollMs, pollMsOf = {} } = patching ?? {};
  const hookUrl = hookSecrets.length === 0 ? undefined : `${url}/hooks/registry`;
  return {
    registryHost,
    pollMs,
    pollMsOf,
    hookUrl,
    readsTasks: patching !== undefined,
    whyUnreachable: createReach(egressAllow),
  };
}
