import { encode, taskText } from './rig.ts';

/** The smallest task that builds a Dockerfile, as `az acr task create` sends it. */
export function dockerTask(step: object = {}, properties: object = {}): { readonly [name: string]: unknown } {
  return {
    location: 'westeurope',
    properties: {
      platform: { os: 'Linux', architecture: 'amd64' },
      step: {
        type: 'Docker',
        contextPath: 'https://github.com/acme/app.git#main',
        dockerFilePath: 'Dockerfile',
        imageNames: ['app:{{.Run.ID}}'],
        arguments: [],
        ...step,
      },
      ...properties,
    },
  };
}

/** A task that keeps its own task file. */
export function encodedTask(properties: object = {}): object {
  return { properties: { step: { type: 'EncodedTask', encodedTaskContent: encode(taskText) }, ...properties } };
}

export const sourceTrigger = {
  name: 'onpush',
  sourceRepository: {
    sourceControlType: 'github',
    repositoryUrl: 'https://github.com/acme/app.git#main',
    branch: 'main',
    sourceControlAuthProperties: { tokenType: 'PAT', token: 'pat-1', scope: 'repo' },
  },
  sourceTriggerEvents: ['commit'],
};

/** A task with something of everything, secrets too. */
export function fullTask(): object {
  return {
    location: 'westeurope',
    tags: { team: 'blue' },
    identity: { type: 'systemassigned', principalId: 'who' },
    properties: {
      status: 'enabled',
      platform: { os: 'Linux' },
      agentConfiguration: { cpu: 4 },
      agentPoolName: 'big',
      timeout: 600,
      step: {
        type: 'docker',
        contextPath: 'https://github.com/acme/app.git#main',
        contextAccessToken: 'context-token',
        dockerFilePath: 'Dockerfile',
        imageNames: ['app:v1'],
        target: 'final',
        noCache: true,
        arguments: [
          { name: 'A', value: '1' },
          { name: 'B', value: 'sesame', isSecret: true },
        ],
      },
      trigger: {
        timerTriggers: [{ name: 't1', schedule: '0 3 * * *', timeZone: 'Europe/Berlin', catchUp: false }],
        sourceTriggers: [
          {
            ...sourceTrigger,
            branches: { include: ['main', 'release/*'] },
            paths: { exclude: ['docs/'] },
            trustsForks: false,
          },
        ],
        baseImageTrigger: { name: 'base', baseImageTriggerType: 'runtime' },
      },
      credentials: {
        sourceRegistry: { loginMode: 'None' },
        customRegistries: {
          'other.example': {
            userName: { value: 'bob', type: 'Opaque' },
            password: { value: 'hunter22', type: 'Opaque' },
          },
        },
      },
      logTemplate: 'logs:v1',
      whenSuperseded: 'Cancel',
      maxConcurrentRuns: 2,
    },
  };
}

/** All the secrets of {@link fullTask}. */
export const secretWords = /context-token|sesame|pat-1|hunter22|whsec_/;
