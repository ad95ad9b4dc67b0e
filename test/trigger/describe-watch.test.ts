import { describe, expect, it } from 'vitest';
import type { SourceTrigger, Task } from '../../src/domain/task.ts';
import { describeWatch } from '../../src/trigger/describe-watch.ts';
import { aTask } from '../rig/tasks.ts';

const webhookUrl = 'https://slipway.example/hooks/git/nightly';
const now = Date.parse('2026-11-21T09:00:00Z');

function aSource(change: Partial<SourceTrigger> = {}): SourceTrigger {
  return {
    name: 'onpush',
    status: 'Enabled',
    sourceRepository: { sourceControlType: 'Github', repositoryUrl: 'git@git.example:acme/app.git', branch: 'main' },
    sourceTriggerEvents: ['commit'],
    ...change,
  };
}

const watch = (change: Partial<Task>) => describeWatch(aTask(change), { webhookUrl, now });
const sources = (...sourceTriggers: SourceTrigger[]) => ({ trigger: { timerTriggers: [], sourceTriggers } });

describe('what a task watches', () => {
  it('names each event of a source trigger, with the URL that deliveries come to, or why it is not heard', () => {
    expect(watch(sources(aSource())).slice(0, 3)).toEqual([
      { what: 'pushes to main of git.example/acme/app', isWatched: true, how: webhookUrl },
      {
        what: 'pull requests to main of git.example/acme/app',
        isWatched: false,
        because: 'pullrequest is not among the events of the trigger onpush',
      },
      {
        what: 'tags of git.example/acme/app: any',
        isWatched: false,
        because: 'tag is not among the events of the trigger onpush',
      },
    ]);
  });

  it('names filters', () => {
    const trigger = aSource({
      sourceTriggerEvents: ['commit', 'tag'],
      branches: { include: ['main', 'release/*'], exclude: ['release/old'] },
      tags: { include: ['v*'] },
      paths: { exclude: ['docs'] },
    });
    expect(watch(sources(trigger)).map(({ what }) => what)).toEqual([
      'pushes to main or release/*, but not release/old of git.example/acme/app, where they change any path, but not docs',
      'pull requests to main or release/*, but not release/old of git.example/acme/app',
      'tags of git.example/acme/app: v*',
    ]);
  });

  it('says what is disabled', () => {
    expect(watch(sources(aSource({ status: 'Disabled' })))[0]).toMatchObject({
      because: 'the trigger onpush is disabled',
    });
    const disabled = watch({ ...sources(aSource()), status: 'Disabled' });
    expect(disabled.every(({ isWatched }) => !isWatched)).toBe(true);
    expect(disabled[0]?.because).toBe('the task is disabled');
  });

  it('tells the next occurrences of a timer in its own zone', () => {
    const timer = { name: 't1', schedule: '0 3 * * *', status: 'Enabled', timeZone: 'Europe/Berlin' } as const;
    expect(watch({ trigger: { timerTriggers: [timer], sourceTriggers: [] } })[0]).toEqual({
      what: 'timer t1: 0 3 * * * (Europe/Berlin)',
      isWatched: true,
      next: ['2026-11-22T02:00:00.000Z', '2026-11-23T02:00:00.000Z', '2026-11-24T02:00:00.000Z'],
    });
  });
});
