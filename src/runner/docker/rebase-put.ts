import type { Digest } from '../../domain/digest.ts';
import type { Exchanged } from '../../rebase/exchange.ts';
import type { RegistryClient } from '../../registry-client/client.ts';
import { broughtBytes } from '../../registry-client/manifests.ts';
import { bringToEngine } from './rebase-engine.ts';
import type { Job } from './rebase-job.ts';

/** Where a manifest is put: under a tag, or under its digest alone. */
interface Place {
  readonly repository: string;
  readonly reference: string;
}

/**
 * Puts the new image into a repository in one request: its manifest with its configuration, and the layers that the repository does not have
 * out of those of base and old image. Rejects with a RegistryRefusal, and nothing has changed.
 */
export async function putImage(
  client: RegistryClient,
  { base, made }: Pick<Job, 'base' | 'made'>,
  { config, manifest }: Exchanged,
  { repository, reference }: Place,
): Promise<Digest> {
  const isSmall = config.bytes.length <= broughtBytes;
  if (!isSmall) await client.putBlob(repository, config);
  const sources = [base.image.repository, made.repository].filter((name) => name !== repository);
  const parts = { blobs: isSmall ? [config] : [], from: [...new Set(sources)] };
  return (await client.putManifest(repository, reference, manifest, parts)).digest;
}

/** For the steps that come after: the image is put without a tag, and the engine pulls it. Otherwise it comes with its tags. */
export async function showToEngine(job: Job, exchanged: Exchanged): Promise<string | undefined> {
  const repository = job.names[0]?.repository ?? '';
  const { digest } = exchanged.manifest;
  await putImage(job.client, job, exchanged, { repository, reference: digest });
  return bringToEngine(job.build, repository, digest);
}
