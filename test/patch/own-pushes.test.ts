import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { PushEvent, RegistryEvent } from '../../src/domain/event.ts';
import type { RepositoryName, Tag } from '../../src/domain/image-reference.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import { createOwnPushes } from '../../src/patch/own-pushes.ts';
import type { PatchJob } from '../../src/queue/ports.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const push: PushEvent = {
  kind: 'push',
  id: 'e1',
  repository: 'base/node' as RepositoryName,
  tag: '20' as Tag,
  digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: 1,
  at: '2026-11-21T09:00:00.000Z',
};

async function passOn(event: RegistryEvent, cause?: RunCause) {
  const published: PatchJob[] = [];
  const ignored: string[] = [];
  const pass = createOwnPushes({
    registryHost: 'Registry.Test:5080',
    getRun: async () => (cause === undefined ? undefined : { cause }),
    publish: async (job) => void published.push(job),
    onIgnored: (_, because) => ignored.push(because),
  });
  await pass(event);
  return { published, ignored };
}

describe('a push to our own registry', () => {
  it('is told as a change of what its tag stands for, under the name that images have', async () => {
    const { published } = await passOn({ ...push, by: 'admin' });
    const image = { registry: 'registry.test:5080', repository: 'base/node', tag: '20', digest };
    expect(published).toEqual([{ kind: 'told', update: { image, source: 'registry', at: push.at, by: 'admin' } }]);
  });

  it('by a run of a person, a push or a timer is told too', async () => {
    const { published } = await passOn({ ...push, by: 'run:ca1' }, { kind: 'manual', by: 'admin' });
    expect(published).toHaveLength(1);
    expect((await passOn({ ...push, by: 'run:ca1' })).published).toHaveLength(1);
  });

  it('by a run of a campaign is left to the campaign', async () => {
    const cause: RunCause = { kind: 'image-update', id: 'cp1', timestamp: push.at, images: [], campaign: 'cp1' };
    const { published, ignored } = await passOn({ ...push, by: 'run:ca1' }, cause);
    expect(published).toEqual([]);
    expect(ignored[0]).toContain('campaign');
  });

  it.each<[string, RegistryEvent]>([
    ['without a tag', (({ tag: _, ...rest }) => rest)(push)],
    ['of a signature', { ...push, subject: digest }],
    ['that points a tag back', { ...push, by: 'campaign:cp1' }],
    ['that is none but a delete', { ...push, kind: 'delete' }],
  ])('%s is ignored, with the reason', async (_, event) => {
    const { published, ignored } = await passOn(event);
    expect(published).toEqual([]);
    expect(ignored).toHaveLength(1);
  });
});
