import { describe, expect, it } from 'vitest';
import type { TaskImages } from '../../src/domain/base-image.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { TaskName } from '../../src/domain/task.ts';
import { startRig } from './rig.ts';
import { dockerTask } from './task-bodies.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const trigger = { name: 'base', baseImageTriggerType: 'Runtime', status: 'Enabled' } as const;
const image = { registry: 'localhost:5080', repository: 'app', tag: 'v1' };
const runtime = { registry: 'docker.io', repository: 'library/node', tag: '22', digest };
const golang = { registry: 'docker.io', repository: 'library/golang', tag: '1' };

const record: TaskImages = {
  task: 'web-app' as TaskName,
  taskVersion: 1,
  learned: { from: 'context', at: '2026-11-21T09:00:00.000Z' },
  images: [
    { image, runtime, buildTime: [golang] },
    { image: { ...image, tag: 'v2' }, runtime, buildTime: [] },
  ],
  stepImages: [],
  problems: [],
  trigger,
  isEnabled: true,
  failuresInRow: 0,
};

const withBase = (more: object = {}) => dockerTask({}, { trigger: { baseImageTrigger: { ...trigger, ...more } } });

async function setUp() {
  const patching = { hookSecrets: [], pollMs: 900_000, pollMsOf: {} };
  const rig = await startRig({ config: { patching } });
  const { status } = await rig.api('PUT', '/tasks/web-app', withBase());
  expect(status).toBe(200);
  return rig;
}

describe('a task’s document', () => {
  it('says that the task is being read, then what its images stand on, whoever asks', async () => {
    const { api, store } = await setUp();
    const before = await api('GET', '/tasks/web-app');
    expect(before.body.properties.step).not.toHaveProperty('baseImageDependencies');
    expect(before.body.properties.watch.at(-1)).toEqual({
      what: 'base images',
      isWatched: false,
      because: 'not learned yet: the task is being read',
    });
    await store.baseImages.put(record);
    const hub = 'registry.hub.docker.com';
    const dependencies = [
      { type: 'RunTime', registry: hub, repository: 'library/node', tag: '22', digest },
      { type: 'BuildTime', registry: hub, repository: 'library/golang', tag: '1' },
    ];
    const after = await api('GET', '/tasks/web-app');
    expect(after.body.properties.step.baseImageDependencies).toEqual(dependencies);
    expect(after.body.properties.watch.slice(-2)).toEqual([
      {
        what: 'base image docker.io/library/node:22',
        isWatched: true,
        how: 'by asking its registry every 15 min',
        digest,
      },
      {
        what: 'base image docker.io/library/golang:1',
        isWatched: false,
        because: 'the task is only built with it, and its trigger is for runtime bases',
      },
    ]);
    const details = await api('POST', '/tasks/web-app/listDetails');
    expect(details.body.properties.step.baseImageDependencies).toEqual(dependencies);
    await api('PUT', '/tasks/other-app', dockerTask());
    const list = await api('GET', '/tasks');
    const shown = list.body.value.map(
      (one: { properties: { step: object } }) => 'baseImageDependencies' in one.properties.step,
    );
    expect(shown).toEqual([false, true]);
  });

  it('is taken back as it is, what was learned left aside', async () => {
    const { api, store } = await setUp();
    await store.baseImages.put(record);
    const { body } = await api('POST', '/tasks/web-app/listDetails');
    const answer = await api('PUT', '/tasks/web-app', body);
    expect(answer.status).toBe(200);
    expect(JSON.stringify(await store.tasks.get('web-app'))).not.toContain('library/node');
  });

  it('has how a base-image trigger goes about it, and a change of one member leaves the others', async () => {
    const { api } = await setUp();
    const follow = [{ pattern: 'docker.io/library/node:22.*', argument: 'NODE' }];
    const given = { strategy: 'Auto', wave: 0, includesSteps: true, follow };
    expect((await api('PUT', '/tasks/web-app', withBase(given))).status).toBe(200);
    const whole = { ...trigger, ...given, strategy: 'auto' };
    const changed = await api('PATCH', '/tasks/web-app', {
      properties: { trigger: { baseImageTrigger: { wave: 3, includesSteps: null } } },
    });
    const { includesSteps: _, ...rest } = { ...whole, wave: 3 };
    expect(changed.body.properties.trigger.baseImageTrigger).toEqual(rest);
  });

  it.each<[object, string, RegExp]>([
    [{ strategy: 'rebas' }, 'strategy', /one of rebuild, rebase, auto/],
    [{ wave: 10 }, 'wave', /<= 9/],
    [{ wave: 1.5 }, 'wave', /integer/],
    [{ includesSteps: 'yes' }, 'includesSteps', /boolean/],
    [{ follow: [{ pattern: 'node:22', argument: 'A' }] }, 'follow[0].pattern', /no image whose tag has a \*/],
    [{ follow: [{ pattern: 'NODE:*', argument: 'A' }] }, 'follow[0].pattern', /no image whose tag has a \*/],
    [{ follow: [{ pattern: 'node*', argument: 'A' }] }, 'follow[0].pattern', /no image whose tag has a \*/],
    [{ follow: [{ pattern: 'node:*', argument: 'A B' }] }, 'follow[0].argument', /characters/],
    [
      { follow: ['node:1.*', 'node:2.*'].map((pattern) => ({ pattern, argument: 'A' })) },
      'follow[1].argument',
      /another pattern/,
    ],
  ])('is refused with a trigger of %j', async (more, field, message) => {
    const { api } = await startRig();
    const { status, body } = await api('PUT', '/tasks/web-app', withBase(more));
    expect(status).toBe(400);
    expect(body.error.target).toBe(`properties.trigger.baseImageTrigger.${field}`);
    expect(body.error.message).toMatch(message);
  });
});
