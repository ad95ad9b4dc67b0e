import { describe, expect, it } from 'vitest';
import { checkLocation } from '../../src/source/check-location.ts';
import { encode, startRig } from './rig.ts';
import { dockerTask, encodedTask, sourceTrigger } from './task-bodies.ts';

describe('PUT of a task that is wrong', () => {
  const step = (more: object) => dockerTask(more);
  const trigger = (more: object) => dockerTask({}, { trigger: more });
  const timer = (more: object) => trigger({ timerTriggers: [{ name: 't1', schedule: '0 3 * * *', ...more }] });
  const source = (more: object) => trigger({ sourceTriggers: [{ ...sourceTrigger, ...more }] });
  const repository = (more: object) => source({ sourceRepository: { ...sourceTrigger.sourceRepository, ...more } });
  it.each<[object, string, RegExp]>([
    [{}, 'properties', /is missing/],
    [{ properties: {} }, 'properties.step', /is missing/],
    [{ ...dockerTask(), propertis: 1 }, 'propertis', /did you mean properties/],
    [dockerTask({}, { agentPool: 'a' }), 'properties.agentPool', /did you mean agentPoolName/],
    [dockerTask({}, { timeout: 299 }), 'properties.timeout', />= 300/],
    [dockerTask({}, { platform: { os: 'windows' } }), 'properties.platform.os', /Linux containers only/],
    [dockerTask({}, { maxConcurrentRuns: 0 }), 'properties.maxConcurrentRuns', />= 1/],
    [dockerTask({}, { whenSuperseded: 'stop' }), 'properties.whenSuperseded', /one of queue, skip, cancel/],
    [dockerTask({}, { isSystemTask: true }), 'properties.isSystemTask', /system tasks/],
    [step({ type: 'Dokcer' }), 'properties.step.type', /did you mean Docker/],
    [step({ type: undefined }), 'properties.step.type', /must name/],
    [step({ dockerFilePath: undefined }), 'properties.step.dockerFilePath', /is missing/],
    [step({ dockerFile: 'x' }), 'properties.step.dockerFile', /did you mean dockerFilePath/],
    [
      step({ imageNames: ['app:v1', 'a b'] }),
      'properties.step.imageNames[1]',
      /^properties\.step\.imageNames\[1\]|a b/,
    ],
    [
      step({ contextPath: 'file:///etc' }),
      'properties.step.contextPath',
      /^properties\.step\.contextPath cannot be used: file/,
    ],
    [
      step({ contextPath: 'source/202611210949/83de5b8e-0000-4000-8000-000000000000.tar.gz' }),
      'properties.step.contextPath',
      /is an upload/,
    ],
    [
      encodedTask({ step: { type: 'EncodedTask', encodedTaskContent: encode('steps: [') } }),
      'properties.step.encodedTaskContent',
      /wrong/,
    ],
    [timer({ schedule: '0 3 * *' }), 'properties.trigger.timerTriggers[0].schedule', /4 fields/],
    [timer({ schedule: '61 3 * * *' }), 'properties.trigger.timerTriggers[0].schedule', /61/],
    [timer({ schedule: 'H 3 * * *' }), 'properties.trigger.timerTriggers[0].schedule', /none of cron/],
    [timer({ schedule: '0 0 30 2 *' }), 'properties.trigger.timerTriggers[0].schedule', /none of cron/],
    [
      timer({ timeZone: 'Europe/Berln' }),
      'properties.trigger.timerTriggers[0].timeZone',
      /did you mean Europe\/Berlin/,
    ],
    [timer({ name: undefined }), 'properties.trigger.timerTriggers[0].name', /is missing/],
    [
      trigger({ timerTriggers: ['a', 'A'].map((name) => ({ name, schedule: '0 3 * * *' })) }),
      'properties.trigger.timerTriggers[1].name',
      /another trigger/,
    ],
    [
      trigger({
        timerTriggers: Array.from({ length: 30 }, (_, at) => ({ name: `t${at}`, schedule: '0 3 * * *' })),
        sourceTriggers: Array.from({ length: 21 }, (_, at) => ({ ...sourceTrigger, name: `s${at}` })),
      }),
      'properties.trigger.timerTriggers',
      /at most 50/,
    ],
    [
      repository({ repositoryUrl: 'source/here' }),
      'properties.trigger.sourceTriggers[0].sourceRepository.repositoryUrl',
      /git repository/,
    ],
    [
      repository({ repositoryUrl: 'nowhere' }),
      'properties.trigger.sourceTriggers[0].sourceRepository.repositoryUrl',
      /neither/,
    ],
    [
      source({ sourceTriggerEvents: ['push'] }),
      'properties.trigger.sourceTriggers[0].sourceTriggerEvents[0]',
      /one of commit/,
    ],
    [source({ sourceTriggerEvents: [] }), 'properties.trigger.sourceTriggers[0].sourceTriggerEvents', /fewer/],
    [
      source({ branches: { include: ['[a'] } }),
      'properties.trigger.sourceTriggers[0].branches.include[0]',
      /no valid pattern/,
    ],
    [
      step({ contextPath: 'http://git.example.com/app.git', contextAccessToken: 'sesame' }),
      'properties.step.contextAccessToken',
      /never sent over http/,
    ],
    [
      step({ contextPath: 'HTTP://example.com/app.tar.gz', contextAccessToken: 'sesame' }),
      'properties.step.contextAccessToken',
      /never sent over http/,
    ],
    [
      step({ contextPath: 'http://sesame@git.example.com/app.git' }),
      'properties.step.contextPath',
      /never sent over http/,
    ],
    [
      repository({ repositoryUrl: 'http://git.example.com/app.git' }),
      'properties.trigger.sourceTriggers[0].sourceRepository.sourceControlAuthProperties',
      /never sent over http/,
    ],
    ...['ftp://git.example.com', 'https://user:pw@git.example.com/api', 'https://git.example.com/?a=b', 'api'].map(
      (apiUrl): [object, string, RegExp] => [
        repository({ apiUrl }),
        'properties.trigger.sourceTriggers[0].sourceRepository.apiUrl',
        /cannot have/,
      ],
    ),
    [source({ branch: 'main' }), 'properties.trigger.sourceTriggers[0].branch', /did you mean branches/],
  ])('refuses %j and names the field', async (body, target, message) => {
    const rig = await startRig({ checkLocation });
    const answer = await rig.api('PUT', '/tasks/nightly', body);
    expect([answer.status, answer.body.error.target]).toEqual([400, target]);
    expect(answer.body.error.message).toMatch(message);
    expect(JSON.stringify(answer.body)).not.toContain('sesame');
    expect(await rig.store.tasks.get('nightly')).toBeUndefined();
  });

  it.each(['shor', 'a'.repeat(51), '-start', 'shared', 'with.dot'])('refuses the name %s', async (name) => {
    const rig = await startRig();
    const answer = await rig.api('PUT', `/tasks/${name}`, dockerTask());
    expect([answer.status, answer.body.error.target]).toEqual([400, 'name']);
  });

  it('never repeats a secret that it refuses', async () => {
    const rig = await startRig();
    const body = step({ contextAccessToken: 'sesame', contextPath: 'ftp://sesame@host/x' });
    expect(JSON.stringify(await rig.api('PUT', '/tasks/nightly', body))).not.toContain('sesame');
  });
});
