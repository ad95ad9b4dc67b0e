import type { Task, TaskName, TimerTrigger } from '../../src/domain/task.ts';

/** A task that builds one Dockerfile, with everything at its default; `change` overrides. */
export function aTask(change: Partial<Task> = {}): Task {
  const time = '2026-11-21T09:00:00.000Z';
  return {
    name: 'build-app' as TaskName,
    version: 1,
    createTime: time,
    lastUpdatedTime: time,
    status: 'Enabled',
    tags: {},
    location: 'local',
    platform: { os: 'linux' },
    agentConfiguration: { cpu: 2 },
    timeout: 3600,
    step: {
      type: 'Docker',
      hasContextToken: false,
      imageNames: ['app:{{.Run.ID}}'],
      isPushEnabled: true,
      noCache: false,
      dockerFilePath: 'Dockerfile',
      arguments: [],
    },
    trigger: { timerTriggers: [], sourceTriggers: [] },
    credentials: { sourceRegistry: { loginMode: 'Default' }, customRegistries: {} },
    isSystemTask: false,
    whenSuperseded: 'queue',
    ...change,
  };
}

/** Every night at three. */
export const nightly: TimerTrigger = { name: 'nightly', schedule: '0 3 * * *', status: 'Enabled' };
