import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import { openRequestSecrets } from '../../src/trigger/sealed-secrets.ts';
import { encode, encodedTaskRequest, fileTaskRequest, startRig, taskText, testKey } from './rig.ts';

const wide = {
  isArchiveEnabled: true,
  agentPoolName: 'default',
  timeout: 300,
  platform: { os: 'Linux', architecture: 'ARM64', variant: 'V8' },
  agentConfiguration: { cpu: 4 },
  sourceLocation: 'https://example.com/app.git#main:dir',
  credentials: {
    sourceRegistry: { loginMode: 'none' },
    customRegistries: { 'other.example:5000': { userName: { value: 'bob' }, password: { value: 'hunter22' } } },
  },
  values: [{ name: 'A', value: '1' }, { name: 'B' }, { name: 'C', value: 'sesame', isSecret: true }],
};

const wideStored = {
  ...wide,
  platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  credentials: {
    sourceRegistry: { loginMode: 'None' },
    customRegistries: { 'other.example:5000': { userName: 'bob', password: '********' } },
  },
  values: [
    { name: 'A', value: '1', isSecret: false },
    { name: 'B', value: '', isSecret: false },
    { name: 'C', value: '********', isSecret: true },
  ],
};

const defaults = {
  isArchiveEnabled: false,
  timeout: 3600,
  platform: { os: 'linux' },
  agentConfiguration: {},
  credentials: { sourceRegistry: { loginMode: 'Default' }, customRegistries: {} },
  values: [],
};

async function schedule(body: object) {
  const rig = await startRig();
  const answer = await rig.api('POST', '/scheduleRun', body);
  return { rig, answer, run: await rig.store.runs.get('ca1' as RunId) };
}

describe('scheduleRun of a task', () => {
  it.each([
    ['in a context', fileTaskRequest()],
    ['that comes along', encodedTaskRequest()],
  ])('%s makes a queued QuickRun and answers with its document', async (_, body) => {
    const { answer, rig } = await schedule(body);
    expect(answer.status).toBe(200);
    expect(answer.body.properties).toMatchObject({ runId: 'ca1', status: 'Queued', runType: 'QuickRun', steps: [] });
    expect(rig.queue.waiting).toEqual(['ca1']);
    const listed = await rig.api('GET', `/runs?$filter=${encodeURIComponent("runType eq 'QuickRun'")}`);
    expect(listed.body.value).toHaveLength(1);
  });

  it('takes every field of a FileTaskRunRequest, with enumerations in any case', async () => {
    const own = { taskFilePath: 'ci/acb.yaml', valuesFilePath: './values.yaml' };
    const { run } = await schedule({ ...wide, ...own, type: 'filetaskrunrequest' });
    expect(run?.request).toEqual({ ...wideStored, ...own, type: 'FileTaskRunRequest' });
  });

  it('takes every field of an EncodedTaskRunRequest', async () => {
    const own = { encodedTaskContent: encode(taskText), encodedValuesContent: encode('a: 1\n') };
    const { run } = await schedule({ ...wide, ...own, type: 'EncodedTaskRunRequest' });
    expect(run?.request).toEqual({ ...wideStored, ...own, type: 'EncodedTaskRunRequest' });
  });

  it('fills in defaults; nulls and what clients send empty count as absent', async () => {
    const nothing = { values: null, agentPoolName: null, platform: null };
    const file = await schedule(fileTaskRequest({ ...nothing, valuesFilePath: null, credentials: {} }));
    expect(file.run?.request).toEqual({
      ...defaults,
      type: 'FileTaskRunRequest',
      taskFilePath: 'acb.yaml',
      sourceLocation: 'https://example.com/app.git',
    });
    const empty = { sourceLocation: null, encodedValuesContent: '', credentials: {} };
    const encoded = await schedule(encodedTaskRequest({ ...nothing, ...empty }));
    expect(encoded.run?.request).toEqual({
      ...defaults,
      type: 'EncodedTaskRunRequest',
      encodedTaskContent: encode(taskText),
    });
  });

  it('takes base64 with line ends and without padding, and keeps it plain', async () => {
    const whole = encode(`${taskText}# long enough for two lines of base64 and more`);
    const wrapped = whole.replaceAll(/.{20}/g, '$&\r\n').replace(/=+$/, '');
    expect(wrapped).not.toBe(whole);
    const { run } = await schedule(encodedTaskRequest({ encodedTaskContent: wrapped }));
    expect(run?.request).toMatchObject({ encodedTaskContent: whole });
  });

  it('takes a task file of 256 KiB', async () => {
    const text = taskText.padEnd(256 * 1024, '#');
    const { answer } = await schedule(encodedTaskRequest({ encodedTaskContent: encode(text) }));
    expect(answer.status).toBe(200);
  });

  it.each([
    ['file', fileTaskRequest],
    ['encoded', encodedTaskRequest],
  ])('keeps the secrets of a %s task sealed, and shows them nowhere', async (_, request) => {
    const { answer, run, rig } = await schedule(
      request({
        sourceLocation: 'https://ghp_token@example.com/app.git',
        values: [
          { name: 'TOKEN', value: 'sesame-1', isSecret: true },
          { name: 'OPEN', value: 'seen' },
        ],
        credentials: {
          customRegistries: { 'other.example': { userName: { value: 'bob' }, password: { value: 'hunter-22' } } },
        },
      }),
    );
    const shown = JSON.stringify([answer.body, (await rig.api('GET', '/runs/ca1')).body, run, rig.logged]);
    for (const secret of ['sesame-1', 'hunter-22', 'ghp_token']) expect(shown).not.toContain(secret);
    expect(openRequestSecrets(testKey, run?.sealedSecrets ?? '')).toEqual({
      source: 'ghp_token',
      arguments: { TOKEN: 'sesame-1' },
      registries: { 'other.example': 'hunter-22' },
    });
  });

  it.each([
    [fileTaskRequest({ taskFilePath: undefined }), 'taskFilePath', /is missing/],
    [fileTaskRequest({ taskFilePath: '../acb.yaml' }), 'taskFilePath', /cannot have/],
    [fileTaskRequest({ taskFilePath: '/etc/passwd' }), 'taskFilePath', /cannot have/],
    [fileTaskRequest({ valuesFilePath: 'a/../../b' }), 'valuesFilePath', /cannot have/],
    [fileTaskRequest({ taskFile: 'acb.yaml' }), 'taskFile', /did you mean taskFilePath/],
    [fileTaskRequest({ value: [] }), 'value', /did you mean values/],
    [fileTaskRequest({ imageNames: ['a'] }), 'imageNames', /not a known field/],
    [fileTaskRequest({ sourceLocation: undefined }), 'sourceLocation', /is missing/],
    [fileTaskRequest({ timeout: 299 }), 'timeout', />= 300/],
    [fileTaskRequest({ platform: { os: 'windows' } }), 'platform.os', /Linux containers only/],
    [fileTaskRequest({ agentPoolName: 'big-machines' }), 'agentPoolName', /no agent pool/],
    [fileTaskRequest({ values: [{ name: 'a=b' }] }), 'values[0].name', /cannot have/],
    [fileTaskRequest({ values: [{ value: 'b' }] }), 'values[0].name', /is missing/],
    [fileTaskRequest({ values: [{ name: 'a', secret: true }] }), 'values[0].secret', /did you mean isSecret/],
    [fileTaskRequest({ values: { a: 'b' } }), 'values', /array/],
    [encodedTaskRequest({ encodedTaskContent: undefined }), 'encodedTaskContent', /is missing/],
    [encodedTaskRequest({ encodedTaskContent: ' ' }), 'encodedTaskContent', /is empty/],
    [encodedTaskRequest({ encodedTaskContent: 'steps: [' }), 'encodedTaskContent', /cannot have/],
    [encodedTaskRequest({ encodedTaskContent: 'abcde' }), 'encodedTaskContent', /not base64/],
    [encodedTaskRequest({ encodedTaskContent: 'ab=cdefg' }), 'encodedTaskContent', /not base64/],
    [encodedTaskRequest({ encodedTaskContent: '/////w==' }), 'encodedTaskContent', /UTF-8/],
    [encodedTaskRequest({ encodedTaskContent: encode('#'.repeat(262_145)) }), 'encodedTaskContent', /256 KiB/],
    [encodedTaskRequest({ encodedValuesContent: '/////w==' }), 'encodedValuesContent', /UTF-8/],
    [encodedTaskRequest({ encodedTask: 'x' }), 'encodedTask', /did you mean encodedTaskContent/],
    [encodedTaskRequest({ taskFilePath: 'acb.yaml' }), 'taskFilePath', /not a known field/],
    [encodedTaskRequest({ sourceLocation: 'file:///etc' }), 'sourceLocation', /neither/],
    [fileTaskRequest({ type: 'FileTaskRunRequst' }), 'type', /did you mean FileTaskRunRequest/],
  ])('refuses %j and names the field', async (body, target, message) => {
    const { answer, rig } = await schedule(body);
    expect([answer.status, answer.body.error.target]).toEqual([400, target]);
    expect(answer.body.error.message).toMatch(message);
    expect(rig.queue.waiting).toEqual([]);
  });

  it('refuses hostile base64 at once', async () => {
    const begin = performance.now();
    const { answer } = await schedule(encodedTaskRequest({ encodedTaskContent: `${' '.repeat(350_000)}!` }));
    expect(answer.status).toBe(400);
    expect(performance.now() - begin).toBeLessThan(5000);
  });
});

describe('scheduleRun of a task that is wrong', () => {
  it('is refused at once with the place of every fault', async () => {
    const { answer, rig } = await schedule(
      encodedTaskRequest({
        encodedTaskContent: encode('version: v1.1.0\nsteps:\n  - cmd: a\n    when: [x]\n  - cmd: b\n    timeout: no\n'),
      }),
    );
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { target: 'encodedTaskContent', details: [{}, {}] } });
    expect(JSON.stringify(answer.body)).toMatch(/4:\d+: .*6:\d+: /);
    expect(rig.queue.waiting).toEqual([]);
  });

  it('names the values file when that is what is wrong', async () => {
    const { answer } = await schedule(encodedTaskRequest({ encodedValuesContent: encode('a: [') }));
    expect(answer).toMatchObject({ status: 400, body: { error: { target: 'encodedValuesContent' } } });
  });

  it('is left to the worker when it needs files of its context', async () => {
    const text = 'version: v1.1.0\nalias:\n  src: [more.yaml]\nsteps:\n  - cmd: $one\n';
    const { answer } = await schedule(encodedTaskRequest({ encodedTaskContent: encode(text) }));
    expect(answer.status).toBe(200);
  });
});
