import { describe, expect, it } from 'vitest';
import type { TaskImages } from '../../src/domain/base-image.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import type { Run } from '../../src/domain/run.ts';
import { readBaseUpdate } from '../../src/worker/base-update.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const images = [{ image: { registry: 'example.com', repository: 'app', tag: 'v1', digest }, buildTime: [] }];

function storeWith(from: 'run' | 'context') {
  const record = { learned: { from }, images } as unknown as TaskImages;
  return { get: async (task: string) => (task === 'build-app' ? record : undefined) };
}

function aRun(cause: RunCause, task = 'build-app'): Run {
  return { cause, task } as unknown as Run;
}

const cause: RunCause = {
  ...{ kind: 'image-update', id: '1', timestamp: '2026-01-01T00:00:00Z' },
  images: [{ registry: 'index.docker.io', repository: 'node', tag: '20', digest }],
};

describe('what a run for changed bases must keep to', () => {
  it('is the images of its cause, by their one identity', async () => {
    const node = { registry: 'docker.io', repository: 'library/node', tag: '20', digest };
    const update = await readBaseUpdate(aRun(cause), storeWith('run'));
    expect(update).toEqual({ images: [node], strategy: 'rebuild', made: [] });
  });

  it('has what its task has made before, where that may be rebased', async () => {
    const run = aRun({ ...cause, strategy: 'auto' });
    expect(await readBaseUpdate(run, storeWith('run'))).toMatchObject({ strategy: 'auto', made: images });
    // What was read off a Dockerfile was not made by anybody.
    expect(await readBaseUpdate(run, storeWith('context'))).toMatchObject({ made: [] });
    expect(await readBaseUpdate(run, undefined)).toMatchObject({ made: [] });
    expect(await readBaseUpdate(aRun({ ...cause, strategy: 'auto' }, 'other'), storeWith('run'))).toMatchObject({
      made: [],
    });
  });

  it('is nothing for any other run', async () => {
    expect(await readBaseUpdate(aRun({ kind: 'manual', by: 'admin' }), storeWith('run'))).toBeUndefined();
  });
});
