import type { ImageAtDigest } from '../domain/base-image.ts';
import type { ImageDependencies } from '../domain/dependencies.ts';
import { identifyImage, isRepositoryName, isTag } from '../domain/image-reference.ts';
import type { Run } from '../domain/run.ts';
import type { BaseUpdateSetup } from '../engine/ports.ts';
import type { BaseImageStore } from '../store/ports.ts';

type Cause = Extract<NonNullable<Run['cause']>, { kind: 'image-update' }>;

/** The changed images by their one identity, however the cause names them. */
function identify({ images }: Cause): readonly ImageAtDigest[] {
  return images.flatMap(({ registry, repository, tag, digest }) => {
    if (!isRepositoryName(repository)) return [];
    const named = tag !== undefined && isTag(tag) ? { tag } : {};
    return [{ ...identifyImage({ registry, repository, digest, ...named }), digest }];
  });
}

async function findMade(
  { task }: Run,
  store: Pick<BaseImageStore, 'get'> | undefined,
): Promise<readonly ImageDependencies[]> {
  const known = task === undefined ? undefined : await store?.get(task);
  return known?.learned.from === 'run' ? known.images : [];
}

/** What a run that changed base images have set off must keep to; undefined for any other run. */
export async function readBaseUpdate(
  run: Run,
  store: Pick<BaseImageStore, 'get'> | undefined,
): Promise<BaseUpdateSetup | undefined> {
  const { cause } = run;
  if (cause?.kind !== 'image-update') return undefined;
  const { strategy = 'rebuild' } = cause;
  return { images: identify(cause), strategy, made: strategy === 'rebuild' ? [] : await findMade(run, store) };
}
