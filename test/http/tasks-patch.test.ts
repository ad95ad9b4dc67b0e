import { describe, expect, it } from 'vitest';
import { checkLocation } from '../../src/source/check-location.ts';
import { encode, startRig, taskText } from './rig.ts';
import { dockerTask, fullTask, sourceTrigger } from './task-bodies.ts';

/** What `listDetails` says after a change of {@link fullTask}. */
async function patch(change: unknown) {
  const rig = await startRig({ newSecret: () => 'whsec_1' });
  await rig.api('PUT', '/tasks/nightly', fullTask());
  const before = (await rig.api('POST', '/tasks/nightly/listDetails')).body;
  const answer = await rig.api('PATCH', '/tasks/nightly', change);
  const after = (await rig.api('POST', '/tasks/nightly/listDetails')).body;
  return { answer, before, after };
}

const properties = (more: object) => ({ properties: more });
const triggers = (more: object) => properties({ trigger: more });

describe('PATCH of a task', () => {
  it.each([
    ['nothing', {}],
    ['nothing below', { properties: {} }],
    [
      'the empty objects that az sends',
      properties({ platform: {}, agentConfiguration: {}, credentials: {}, trigger: {} }),
    ],
    ['empty registries', properties({ credentials: { sourceRegistry: {}, customRegistries: {} } })],
    ['empty lists of triggers', triggers({ timerTriggers: [], sourceTriggers: [], baseImageTrigger: {} })],
    ['an empty step', properties({ step: {} })],
    ['a step of the same type and no more', properties({ step: { type: 'DOCKER' } })],
    ['read-only members', { id: 'x', properties: { provisioningState: 'Failed', creationDate: 'never', watch: 1 } }],
  ])('with %s changes nothing, and keeps all secrets', async (_, change) => {
    const { answer, before, after } = await patch(change);
    expect(answer.status).toBe(200);
    expect(after).toEqual(before);
  });

  it.each([
    ['status', properties({ status: 'disabled' }), { status: 'Disabled' }],
    [
      'one part of the platform',
      properties({ platform: { architecture: 'arm64' } }),
      { platform: { os: 'linux', architecture: 'arm64' } },
    ],
    ['the CPUs', properties({ agentConfiguration: { cpu: 8 } }), { agentConfiguration: { cpu: 8 } }],
    [
      'one part of the step',
      properties({ step: { target: 'test' } }),
      { step: { target: 'test', noCache: true, contextAccessToken: 'context-token' } },
    ],
    [
      'the token',
      properties({ step: { type: 'Docker', contextAccessToken: 'new' } }),
      { step: { contextAccessToken: 'new' } },
    ],
    [
      'the login mode',
      properties({ credentials: { sourceRegistry: { loginMode: 'Default' } } }),
      {
        credentials: {
          sourceRegistry: { loginMode: 'Default' },
          customRegistries: { 'other.example': { password: { value: 'hunter22' } } },
        },
      },
    ],
    [
      'the base-image trigger',
      triggers({ baseImageTrigger: { name: 'base', baseImageTriggerType: 'All' } }),
      { trigger: { baseImageTrigger: { name: 'base', baseImageTriggerType: 'All', status: 'Enabled' } } },
    ],
    [
      'one timer by its name',
      triggers({ timerTriggers: [{ name: 'T1', schedule: '5 * * * *' }] }),
      {
        trigger: { timerTriggers: [{ name: 't1', schedule: '5 * * * *', timeZone: 'Europe/Berlin', catchUp: false }] },
      },
    ],
    [
      'one source trigger by its name',
      triggers({ sourceTriggers: [{ name: 'onpush', status: 'Disabled' }] }),
      {
        trigger: {
          sourceTriggers: [
            {
              status: 'Disabled',
              sourceRepository: { branch: 'main', sourceControlAuthProperties: { token: 'pat-1' } },
            },
          ],
        },
      },
    ],
    [
      'a branch alone',
      triggers({ sourceTriggers: [{ name: 'onpush', sourceRepository: { branch: 'dev' } }] }),
      {
        trigger: {
          sourceTriggers: [{ sourceRepository: { branch: 'dev', sourceControlAuthProperties: { token: 'pat-1' } } }],
        },
      },
    ],
  ])('changes %s and nothing beside it', async (_, change, expected) => {
    const { answer, before, after } = await patch(change);
    expect(answer.status).toBe(200);
    expect(after.properties).toMatchObject(expected);
    const untouched = (document: { properties: Record<string, unknown> }) =>
      Object.entries(document.properties).filter(([name]) => !(name in expected) && name !== 'watch');
    expect(untouched(after)).toEqual(untouched(before));
  });

  it('adds triggers and removes none', async () => {
    const timerTriggers = [{ name: 't2', schedule: '0 4 * * *' }];
    const sourceTriggers = [{ ...sourceTrigger, name: 'tags', sourceTriggerEvents: ['tag'] }];
    const { after } = await patch(triggers({ timerTriggers, sourceTriggers }));
    const { trigger } = after.properties;
    expect(trigger.timerTriggers.map((one: { name: string }) => one.name)).toEqual(['t1', 't2']);
    expect(trigger.sourceTriggers.map((one: { name: string }) => one.name)).toEqual(['onpush', 'tags']);
  });

  it('replaces lists, and keeps a secret value that comes without one', async () => {
    const list = [
      { name: 'B', isSecret: true },
      { name: 'C', value: '3' },
    ];
    const { after } = await patch(properties({ step: { arguments: list, imageNames: ['app:v2'] } }));
    expect(after.properties.step).toMatchObject({
      imageNames: ['app:v2'],
      arguments: [
        { name: 'B', value: 'sesame', isSecret: true },
        { name: 'C', value: '3', isSecret: false },
      ],
    });
    const emptied = await patch(properties({ step: { arguments: [] } }));
    expect(emptied.after.properties.step.arguments).toEqual([]);
  });

  it('replaces a step of another type whole', async () => {
    const step = { type: 'EncodedTask', encodedTaskContent: encode(taskText) };
    const { after } = await patch(properties({ step, trigger: { sourceTriggers: [{ name: 'onpush' }] } }));
    expect(after.properties.step).toEqual({ type: 'EncodedTask', encodedTaskContent: encode(taskText), values: [] });
  });

  it.each<[string, object]>([
    ['an archive', { contextPath: 'https://example.com/app.tar.gz' }],
    ['no context', { type: 'EncodedTask', encodedTaskContent: encode(taskText) }],
  ])('to %s is refused while a source trigger watches the repository that the context was', async (_, step) => {
    const { answer, before, after } = await patch(properties({ step }));
    expect([answer.status, answer.body.error.target]).toEqual([400, 'properties.step.contextPath']);
    expect(answer.body.error.message).toMatch(/source trigger onpush would still watch/);
    expect(after).toEqual(before);
    for (const named of [[{ name: 'OnPush', status: 'Disabled' }], [{ name: 'onpush' }], null]) {
      const moved = await patch(properties({ step, trigger: { sourceTriggers: named } }));
      expect(moved.answer.status).toBe(200);
    }
    expect((await patch(properties({ step, trigger: null }))).answer.status).toBe(200);
  });

  it('to an address of http is refused while the task has a token, and taken without one', async () => {
    const rig = await startRig({ checkLocation });
    await rig.api('PUT', '/tasks/nightly', fullTask());
    const contextPath = 'http://git.example.com/acme/app.git';
    const refused = await rig.api('PATCH', '/tasks/nightly', properties({ step: { contextPath } }));
    expect([refused.status, refused.body.error.target]).toEqual([400, 'properties.step.contextAccessToken']);
    const step = { contextPath, contextAccessToken: null };
    expect((await rig.api('PATCH', '/tasks/nightly', properties({ step }))).status).toBe(200);
  });

  it('sets the URL of a forge’s API, which lets a trigger of an http repository have a token, and removes it', async () => {
    const rig = await startRig({ checkLocation });
    const { sourceRepository } = sourceTrigger;
    const apiUrl = 'http://git.corp:3000/api/v1';
    const url = { ...sourceRepository, repositoryUrl: 'http://git.corp:3000/acme/app.git', apiUrl };
    const body = dockerTask({}, { trigger: { sourceTriggers: [{ ...sourceTrigger, sourceRepository: url }] } });
    const { status, body: made } = await rig.api('PUT', '/tasks/nightly', body);
    expect([status, made.properties.trigger.sourceTriggers[0].sourceRepository.apiUrl]).toEqual([200, apiUrl]);
    const change = (more: object) => triggers({ sourceTriggers: [{ name: 'onpush', sourceRepository: more }] });
    const refused = await rig.api('PATCH', '/tasks/nightly', change({ apiUrl: null }));
    expect([refused.status, refused.body.error.target]).toEqual([
      400,
      'properties.trigger.sourceTriggers[0].sourceRepository.sourceControlAuthProperties',
    ]);
    const removed = await rig.api(
      'PATCH',
      '/tasks/nightly',
      change({ apiUrl: null, sourceControlAuthProperties: null }),
    );
    expect(removed.body.properties.trigger.sourceTriggers[0].sourceRepository).not.toHaveProperty('apiUrl');
  });

  it('to another repository moves the context alone', async () => {
    const { answer } = await patch(properties({ step: { contextPath: 'https://github.com/acme/other.git#main' } }));
    expect(answer.status).toBe(200);
  });

  it('adds registries by host, and removes the one that is null', async () => {
    const added = { userName: { value: 'eve' }, password: { value: 'pw' } };
    const { after } = await patch(
      properties({ credentials: { customRegistries: { 'other.example': null, 'third.example': added } } }),
    );
    expect(Object.keys(after.properties.credentials.customRegistries)).toEqual(['third.example']);
    expect(after.properties.credentials.customRegistries['third.example'].password.value).toBe('pw');
  });

  it('replaces tags, identity and filters, and removes what is null', async () => {
    const { after } = await patch({
      tags: { b: '2' },
      identity: {
        type: 'UserAssigned',
        userAssignedIdentities: { '/subscriptions/one': {}, '/subscriptions/two': null },
      },
      properties: {
        agentPoolName: null,
        maxConcurrentRuns: null,
        trigger: { sourceTriggers: [{ name: 'onpush', branches: { exclude: ['old'] }, paths: null }] },
      },
    });
    expect(after.tags).toEqual({ b: '2' });
    expect(after.identity).toEqual({ type: 'UserAssigned', userAssignedIdentities: { '/subscriptions/one': {} } });
    expect(after.properties).not.toHaveProperty('agentPoolName');
    expect(after.properties).not.toHaveProperty('maxConcurrentRuns');
    expect(after.properties.trigger.sourceTriggers[0].branches).toEqual({ exclude: ['old'] });
    expect(after.properties.trigger.sourceTriggers[0]).not.toHaveProperty('paths');
  });

  it.each([
    [[], undefined, /JSON object/],
    [{ properties: { steps: {} } }, 'properties.steps', /did you mean step/],
    [properties({ step: { target: '/' } }), 'properties.step.target', /cannot have/],
    [properties({ step: { taskFilePath: 'x' } }), 'properties.step.taskFilePath', /not a known field/],
    [properties({ step: { type: 'FileTask' } }), 'properties.step.taskFilePath', /is missing/],
    [properties({ step: null }), 'properties.step', /is missing/],
    [
      triggers({ timerTriggers: [{ name: 'b', schedule: 5 }] }),
      'properties.trigger.timerTriggers[0].schedule',
      /string/,
    ],
    [
      triggers({ timerTriggers: [{ schedule: '0 3 * * *' }] }),
      'properties.trigger.timerTriggers[1].name',
      /is missing/,
    ],
  ])('refuses %j, names the field, and changes nothing', async (change, target, message) => {
    const { answer, before, after } = await patch(change);
    expect([answer.status, answer.body.error.target]).toEqual([400, target]);
    expect(answer.body.error.message).toMatch(message);
    expect(after).toEqual(before);
  });

  it('is not led astray by hostile names or depth', async () => {
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
    const { answer } = await patch(`{"__proto__":{"x":1},"identity":{"userAssignedIdentities":{"a":${deep}}}}`);
    expect(answer.status).toBe(400);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
