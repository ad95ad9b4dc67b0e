import { describe, expect, it } from 'vitest';
import type { TaskImages } from '../../../src/domain/base-image.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import { createReach } from '../../../src/egress/reach.ts';
import { describeBases, type Noticing } from '../../../src/patch/learn/describe-bases.ts';
import { dockerTask, registryHost, trigger, withTrigger } from './rig.ts';

const noticing: Noticing = {
  registryHost,
  pollMs: 900_000,
  pollMsOf: { 'ghcr.io': undefined, 'quay.io': 90_000 },
  hookUrl: 'https://slipway.example/hooks/registry',
  readsTasks: true,
  whyUnreachable: createReach([]),
};
const digest = `sha256:${'a'.repeat(64)}` as Digest;
const hub = { registry: 'docker.io', repository: 'library/node', tag: '22' };
const image = { registry: registryHost, repository: 'app', tag: 'v1' };

function aRecord(change: Partial<TaskImages> = {}): TaskImages {
  return {
    task: dockerTask().name,
    taskVersion: 1,
    learned: { from: 'context', at: '2026-11-21T10:00:00.000Z' },
    images: [{ image, runtime: { ...hub, digest }, buildTime: [] }],
    stepImages: [],
    problems: [],
    trigger,
    isEnabled: true,
    failuresInRow: 0,
    ...change,
  };
}

const task = dockerTask({}, withTrigger());
const says = (record: TaskImages | undefined, how = noticing) => describeBases(task, record, how);

describe('which base images start runs of a task', () => {
  it('is told with how their changes are noticed, and what the images were built on', () => {
    const others = [
      { registry: registryHost, repository: 'base', tag: '1' },
      { registry: 'ghcr.io', repository: 'a/b', tag: '1' },
      { registry: 'quay.io', repository: 'c/d', tag: '1' },
    ];
    const images = [...aRecord().images, ...others.map((runtime) => ({ runtime, buildTime: [] }))];
    expect(says(aRecord({ images }))).toEqual([
      {
        what: 'base image docker.io/library/node:22',
        isWatched: true,
        how: 'by asking its registry every 15 min, and by its registry’s webhook to https://slipway.example/hooks/registry',
        digest,
      },
      { what: 'base image reg.test:5000/base:1', isWatched: true, how: 'by each push to this registry' },
      {
        what: 'base image ghcr.io/a/b:1',
        isWatched: true,
        how: 'by its registry’s webhook to https://slipway.example/hooks/registry',
      },
      {
        what: 'base image quay.io/c/d:1',
        isWatched: true,
        how: expect.stringContaining('by asking its registry every 90 s, and') as string,
      },
    ]);
  });

  it('says of those that do not why', () => {
    const pinned = { ...hub, tag: '20', digest, isPinned: true };
    const { tag: _, ...untagged } = pinned;
    const images = [
      { image, runtime: pinned, buildTime: [{ ...hub, repository: 'library/golang' }, untagged] },
      { runtime: image, buildTime: [] },
    ];
    const stepImages = [{ ...hub, repository: 'library/alpine' }];
    expect(says(aRecord({ images, stepImages, problems: ['line 3 of Dockerfile: odd'] }))).toEqual([
      {
        what: 'base image docker.io/library/node:20',
        isWatched: false,
        because: 'the task pins it by its digest',
        digest,
      },
      {
        what: 'base image docker.io/library/golang:22',
        isWatched: false,
        because: 'the task is only built with it, and its trigger is for runtime bases',
      },
      { what: 'base image reg.test:5000/app:v1', isWatched: false, because: 'the task makes it itself' },
      {
        what: 'base image docker.io/library/alpine:22',
        isWatched: false,
        because: 'the task only runs a step in it, and its trigger is not for images of steps',
      },
      {
        what: `base image docker.io/library/node@${digest}`,
        isWatched: false,
        because: 'the task pins it by its digest',
        digest,
      },
      { what: 'base images', isWatched: false, because: 'line 3 of Dockerfile: odd' },
    ]);
  });

  it('says when nothing could notice their changes', () => {
    const deaf = { ...noticing, pollMs: undefined, pollMsOf: {}, hookUrl: undefined, readsTasks: false };
    expect(says(aRecord(), deaf)[0]).toMatchObject({
      isWatched: false,
      because: expect.stringContaining('SLIPWAY_POLL_INTERVAL') as string,
    });
    expect(says(undefined, deaf)[0]?.because).toMatch(/the first run that succeeds/);
  });

  describe('of a registry that may not be reached', () => {
    const at = { ...noticing, registryHost: '127.0.0.1:5080', hookUrl: undefined };
    const watchOf = (registry: string, how: Noticing = at) => {
      const runtime = { registry, repository: 'x', tag: '1' };
      return says(aRecord({ images: [{ image, runtime, buildTime: [] }] }), how)[0];
    };
    const named = 'images of this installation’s own registry are named 127.0.0.1:5080/…';

    it.each([
      ['localhost:5080', `localhost is a loopback address; ${named}`],
      ['127.0.0.2:5080', `127.0.0.2 is a loopback address; ${named}`],
      [
        'localhost:5081',
        `localhost is a loopback address; ${named}, another one has to be allowed (SLIPWAY_EGRESS_ALLOW)`,
      ],
      [
        '10.0.0.5:5000',
        `10.0.0.5 is a private address; ${named}, another one has to be allowed (SLIPWAY_EGRESS_ALLOW)`,
      ],
    ])('says so and how ours is named: %s', (registry, why) => {
      const because = `its registry is not asked: ${why}`;
      expect(watchOf(registry)).toEqual({ what: `base image ${registry}/x:1`, isWatched: false, because });
    });

    it('says that it is asked where the operator allows that', () => {
      const how = { ...at, whyUnreachable: createReach(['localhost:5081', '10.0.0.0/8']) };
      for (const registry of ['localhost:5081', '10.0.0.5:5000', 'docker.io', 'registry.example.com']) {
        expect(watchOf(registry, how)).toMatchObject({ isWatched: true, how: 'by asking its registry every 15 min' });
      }
      expect(watchOf('localhost:5080', how)?.isWatched).toBe(false);
    });

    it('says of its webhook alone, which ours does not send to itself', () => {
      const how = { ...at, hookUrl: 'https://slipway.example/hooks/registry' };
      expect(watchOf('10.0.0.5:5000', how)?.how).toMatch(/^by its registry’s webhook/);
      expect(watchOf('localhost:5080', how)?.isWatched).toBe(false);
    });

    it('says the same of tags that are followed', () => {
      const follow = [{ pattern: 'localhost:5080/x:1.*', argument: 'X' }];
      const record = aRecord({ images: [], trigger: { ...trigger, follow } });
      expect(describeBases(dockerTask({}, withTrigger({ follow })), record, at)).toMatchObject([
        { isWatched: false, because: `its registry is not asked: localhost is a loopback address; ${named}` },
      ]);
    });
  });

  it('names tags that are followed', () => {
    const follow = [{ pattern: 'node:22.*', argument: 'NODE' }];
    const record = aRecord({ images: [], trigger: { ...trigger, follow } });
    expect(describeBases(dockerTask({}, withTrigger({ follow })), record, noticing)).toEqual([
      {
        what: 'newer tags like node:22.*, as build argument NODE',
        isWatched: true,
        how: expect.stringContaining('every 15 min') as string,
      },
    ]);
  });

  it.each<[string, TaskImages | undefined]>([
    ['not learned yet: the task is being read', undefined],
    ['not learned yet: the task is being read', aRecord({ taskVersion: 0 })],
    ['the context could not be read: x', aRecord({ images: [], problems: ['the context could not be read: x'] })],
    ['its images stand on no other image', aRecord({ images: [{ image, buildTime: [] }] })],
    ['the task builds no image', aRecord({ images: [] })],
  ])('says that there are none to watch: %s', (because, record) => {
    expect(says(record)).toEqual([{ what: 'base images', isWatched: false, because }]);
  });

  it('says that a task without a trigger watches none, and that a disabled one does not', () => {
    expect(describeBases(dockerTask(), aRecord(), noticing)).toEqual([
      { what: 'base images', isWatched: false, because: 'the task has no base-image trigger' },
    ]);
    expect(says(aRecord({ isEnabled: false }))[0]?.because).toBe('the task is disabled');
    expect(says(aRecord({ trigger: { ...trigger, status: 'Disabled' } }))[0]?.because).toBe(
      'the task has its base image trigger disabled',
    );
  });
});
