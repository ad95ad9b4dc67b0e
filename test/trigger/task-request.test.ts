import { describe, expect, it } from 'vitest';
import type { DockerTaskStep, FileTaskStep, TaskSecrets } from '../../src/domain/task.ts';
import { requestOfTask } from '../../src/trigger/task-request.ts';
import { aTask } from '../rig/tasks.ts';

const secrets: TaskSecrets = {
  context: 'ghp',
  arguments: { TOKEN: 'sesame' },
  registries: { 'x.io': 'hunter22' },
  sources: {},
  webhook: [],
};
const plain = { name: 'MODE', value: 'fast', isSecret: false };
const hidden = { name: 'TOKEN', value: '********', isSecret: true };

const docker: DockerTaskStep = {
  type: 'Docker',
  contextPath: 'https://git.example.com/o/r.git#main',
  hasContextToken: true,
  imageNames: ['app:{{.Run.ID}}'],
  isPushEnabled: true,
  noCache: false,
  dockerFilePath: 'Dockerfile',
  arguments: [plain, hidden],
};
const file: FileTaskStep = {
  type: 'FileTask',
  contextPath: 'https://git.example.com/o/r.git',
  hasContextToken: true,
  taskFilePath: 'acb.yaml',
  values: [hidden],
};
const credentials = {
  sourceRegistry: { loginMode: 'Default' },
  customRegistries: { 'x.io': { userName: 'bob', password: '********' } },
} as const;

describe('a run of a task', () => {
  it('has the secrets of its task back in their places', () => {
    const { request, sourceSecret } = requestOfTask(aTask({ step: docker, credentials }), secrets);
    expect(request).toMatchObject({
      type: 'DockerBuildRequest',
      sourceLocation: docker.contextPath,
      arguments: [plain, { ...hidden, value: 'sesame' }],
      credentials: { customRegistries: { 'x.io': { password: 'hunter22' } } },
    });
    expect(sourceSecret).toBe('ghp');
  });

  it('takes overrides by name, over the task’s own', () => {
    const over = { name: 'MODE', value: 'slow', isSecret: false };
    const overrides = { arguments: [over], target: 'test', file: 'Other' };
    const { request } = requestOfTask(aTask({ step: docker }), secrets, { overrides });
    expect(request).toMatchObject({ target: 'test', dockerFilePath: 'Other' });
    expect(request).toMatchObject({ arguments: [{ ...hidden, value: 'sesame' }, over] });
  });

  it('is on the tags that its task follows, unless its overrides say otherwise', () => {
    const followed = [{ name: 'MODE', value: 'v10', isSecret: false, isFollowed: true as const }];
    const task = aTask({ step: { ...docker, arguments: [plain] } });
    const of = (arguments_: (typeof plain)[]) =>
      requestOfTask(task, secrets, { followed, overrides: { arguments: arguments_ } }).request;
    expect(of([])).toMatchObject({ arguments: followed });
    expect(of([{ ...plain, value: 'v1' }])).toMatchObject({ arguments: [{ ...plain, value: 'v1' }] });
    expect(requestOfTask(aTask({ step: file }), secrets, { followed }).request).toMatchObject({
      values: [{ ...hidden, value: 'sesame' }, ...followed],
    });
  });

  it('sends no token to a context that is not the task’s own', () => {
    const task = aTask({ step: file });
    const overrides = { contextPath: 'https://elsewhere.example.com/x.git' };
    expect(requestOfTask(task, secrets, { overrides })).not.toHaveProperty('sourceSecret');
    expect(requestOfTask(task, secrets, { withoutContextToken: true })).not.toHaveProperty('sourceSecret');
    expect(requestOfTask(task, secrets, { sourceLocation: 'https://git.example.com/o/r.git#abc' }).sourceSecret).toBe(
      'ghp',
    );
  });

  it('gets nothing secret, and pushes nothing, when its code is a stranger’s', () => {
    const { request } = requestOfTask(aTask({ step: docker, credentials }), secrets, { isTrusted: false });
    expect(request).toMatchObject({ isPushEnabled: false, arguments: [plain], credentials: { customRegistries: {} } });
    expect(JSON.stringify(request)).not.toMatch(/sesame|hunter22/);
  });

  it.each([
    ['values for a Dockerfile', docker, { values: [plain] }, 'values'],
    ['arguments for a task file', file, { arguments: [plain] }, 'arguments'],
    ['a target for a task file', file, { target: 'x' }, 'target'],
  ] as const)('refuses %s', (_, step, overrides, field) => {
    expect(() => requestOfTask(aTask({ step }), secrets, { overrides })).toThrow(
      expect.objectContaining({
        failure: expect.objectContaining({ field: `overrideTaskStepProperties.${field}` }) as object,
      }),
    );
  });
});
