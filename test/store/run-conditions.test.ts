import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { TaskName } from '../../src/domain/task.ts';
import type { RunCondition } from '../../src/store/ports.ts';
import { meetsAll } from '../../src/store/run-conditions.ts';
import { runIdOf, runNumberOf } from '../../src/store/run-number.ts';
import { aRun } from '../rig/runs.ts';

const digest = `sha256:${'b'.repeat(64)}` as Digest;
const run = aRun({
  runId: 'ca1z' as RunId,
  status: 'Succeeded',
  task: 'Build-App' as TaskName,
  finishTime: '2026-11-21T10:00:00.000Z',
  outputImages: [{ registry: 'localhost:5080', repository: 'team/app', tag: 'v1', digest }],
});

describe('a condition on runs', () => {
  it.each([
    ['runId', 'eq', 'ca1z', true],
    ['runId', 'eq', 'CA1Z', true],
    ['runId', 'gt', 'caz', true],
    ['runId', 'lt', 'ca20', true],
    ['runId', 'lt', 'ca1z', false],
    ['runId', 'le', 'ca1z', true],
    ['runId', 'eq', 'none of ours', false],
    ['runId', 'contains', '1z', true],
    ['status', 'eq', 'succeeded', true],
    ['status', 'ne', 'Failed', true],
    ['status', 'contains', 'cceed', true],
    ['runType', 'eq', 'QuickBuild', true],
    ['taskName', 'eq', 'BUILD-app', true],
    ['taskName', 'ne', 'build-app', false],
    ['taskName', 'contains', 'd-a', true],
    ['agentPoolName', 'eq', 'Default', true],
    ['agentPoolName', 'ne', 'big', true],
    ['createTime', 'ge', '2026-11-21T09:00:00Z', true],
    ['createTime', 'gt', '2026-11-21T09:00:00Z', false],
    ['createTime', 'lt', '2026-11-21T10:30:00+01:00', true],
    ['createTime', 'lt', 'no time', false],
    ['finishTime', 'gt', '2026-11-21', true],
    ['isArchiveEnabled', 'eq', 'False', true],
    ['isArchiveEnabled', 'ne', 'true', true],
    ['outputImageManifests', 'contains', `team/app@${digest}`, true],
    ['outputImageManifests', 'contains', digest, true],
    ['outputImageManifests', 'contains', 'other', false],
    ['outputImageManifests', 'eq', `team/app@${digest}`, true],
    ['outputImageManifests', 'eq', `localhost:5080/team/app:v1`, true],
    ['outputImageManifests', 'eq', `app@${digest}`, false],
    ['outputImageManifests', 'ne', 'team/app:v2', true],
    ['outputImageManifests', 'ge', 'team/app:v1', false],
  ] as const)('%s %s %s: %s', (field, operator, value, meets) => {
    const condition: RunCondition = { field, operator, value };
    expect(meetsAll(run, [condition])).toBe(meets);
    expect(meetsAll(run, [condition, { field: 'status', operator: 'eq', value: 'Queued' }])).toBe(false);
  });

  it('on a time that is not there is met by "ne" alone', () => {
    for (const operator of ['eq', 'gt', 'ge', 'lt', 'le'] as const) {
      const condition: RunCondition = { field: 'finishTime', operator, value: '2026-11-21T10:00:00Z' };
      expect(meetsAll(aRun(), [condition])).toBe(false);
    }
    expect(meetsAll(aRun(), [{ field: 'finishTime', operator: 'ne', value: '2026-11-21T10:00:00Z' }])).toBe(true);
  });
});

describe('the names of runs', () => {
  it('are numbers, and grow in length and then in alphabet', () => {
    expect([1, 35, 36, 1296].map(runIdOf)).toEqual(['ca1', 'caz', 'ca10', 'ca100']);
    for (const number of [1, 35, 36, 123_456_789]) expect(runNumberOf(runIdOf(number))).toBe(number);
    expect(['', 'ca', 'ca0', 'cb1', 'ca1-', 'CA1'].map(runNumberOf)).toEqual(Array(6).fill(undefined));
  });
});
