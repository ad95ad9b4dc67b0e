import type { FieldTable, KnownMistakes } from './yaml/fields.ts';

/** Every key of a task (acr-tasks.md §1.1). */
export const taskKeys = {
  version: 'string',
  steps: 'node',
  stepTimeout: 'integer',
  workingDirectory: 'string',
  env: 'strings',
  secrets: 'node',
  networks: 'node',
  volumes: 'node',
  alias: 'node',
} as const satisfies FieldTable;

export const taskMistakes: KnownMistakes = {
  totalTimeout: 'the whole run has its timeout from the task resource or the run request',
  timeout: 'a task file has stepTimeout; the whole run has its timeout from the run request',
  step: 'did you mean "steps"?',
  volumeMounts: 'volumes are declared with "volumes" and mounted in a step with "volumeMounts"',
};

/** Every key of a step (acr-tasks.md §1.2); `memory` and `runOn` are Slipway's own. */
export const stepKeys = {
  id: 'string',
  cmd: 'string',
  build: 'string',
  push: 'strings',
  when: 'strings',
  timeout: 'integer',
  startDelay: 'integer',
  retries: 'integer',
  retryDelay: 'integer',
  retryOnErrors: 'strings',
  repeat: 'integer',
  ignoreErrors: 'boolean',
  detach: 'boolean',
  keep: 'boolean',
  env: 'strings',
  workingDirectory: 'string',
  disableWorkingDirectoryOverride: 'boolean',
  entryPoint: 'string',
  user: 'string',
  network: 'string',
  ports: 'strings',
  expose: 'strings',
  privileged: 'boolean',
  isolation: 'string',
  cpus: 'string',
  memory: 'string',
  pull: 'boolean',
  cmdDownloadRetries: 'integer',
  cmdDownloadRetryDelay: 'integer',
  cache: 'string',
  volumeMounts: 'node',
  exitedWith: 'integers',
  exitedWithout: 'integers',
  runOn: 'string',
} as const satisfies FieldTable;

export type StepKey = keyof typeof stepKeys;

export const stepMistakes: KnownMistakes = {
  volumeMount: 'the key is "volumeMounts"',
  downloadRetries: 'the key is "cmdDownloadRetries"',
  downloadRetryDelay: 'the key is "cmdDownloadRetryDelay"',
  secret: 'secrets are declared for the task with "secrets", and used as {{.Secrets.id}}',
  secrets: 'secrets are declared for the task, not for a step',
  entrypoint: 'did you mean "entryPoint"?',
  condition: 'a step says when it runs with "when", "runOn", "exitedWith" and "exitedWithout"',
  name: 'a step is named with "id"',
  args: 'arguments are written in "cmd", after the image',
  image: 'the image is the first word of "cmd"',
  dependsOn: 'a step names the steps before it with "when"',
};

/** Keys that do nothing in steps of the other kinds. */
export const stepKeysByKind: Readonly<Partial<Record<StepKey, readonly ('build' | 'push' | 'cmd')[]>>> = {
  retries: ['build', 'cmd'],
  retryDelay: ['build', 'cmd'],
  retryOnErrors: ['build', 'cmd'],
  repeat: ['build', 'cmd'],
  detach: ['cmd'],
  keep: ['cmd'],
  env: ['build', 'cmd'],
  workingDirectory: ['build', 'cmd'],
  disableWorkingDirectoryOverride: ['cmd'],
  entryPoint: ['cmd'],
  user: ['cmd'],
  network: ['cmd'],
  ports: ['cmd'],
  expose: ['cmd'],
  privileged: ['cmd'],
  isolation: ['cmd', 'build'],
  cpus: ['cmd', 'build'],
  memory: ['cmd', 'build'],
  pull: ['cmd'],
  cmdDownloadRetries: ['cmd'],
  cmdDownloadRetryDelay: ['cmd'],
  cache: ['build'],
};

export const networkKeys = {
  name: 'string',
  driver: 'string',
  ipv6: 'boolean',
  skipCreation: 'boolean',
  isDefault: 'boolean',
} as const satisfies FieldTable;

export const volumeKeys = { name: 'string', secret: 'node' } as const satisfies FieldTable;

export const mountKeys = { name: 'string', mountPath: 'string' } as const satisfies FieldTable;

export const secretKeys = { id: 'string', keyvault: 'string', clientID: 'string' } as const satisfies FieldTable;

export const aliasKeys = { src: 'strings', values: 'node', directive: 'string' } as const satisfies FieldTable;
