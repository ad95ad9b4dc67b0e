import { describe, expect, it } from 'vitest';
import type { RunCondition } from '../../src/store/ports.ts';
import { createKeys } from '../../src/store/redis/keys.ts';
import { planList } from '../../src/store/redis/list-plan.ts';

const keys = createKeys('p');

function plan(...conditions: readonly (readonly [RunCondition['field'], RunCondition['operator'], string])[]) {
  return planList(
    conditions.map(([field, operator, value]) => ({ field, operator, value })),
    keys,
  );
}

describe('the plan of a list', () => {
  it('goes through all runs where no condition has an index', () => {
    expect(plan()).toMatchObject({ groups: [[keys.runs]], isCovered: true });
    expect(plan(['outputImageManifests', 'contains', 'app:v1'])).toMatchObject({
      groups: [[keys.runs]],
      isCovered: false,
    });
    expect(plan(['agentPoolName', 'eq', 'Default'], ['taskName', 'eq', ''])).toMatchObject({
      groups: [[keys.runs]],
      isCovered: false,
    });
  });

  it('uses an index for each condition that has one', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const { groups, isCovered } = plan(
      ['taskName', 'eq', 'Build-App'],
      ['agentPoolName', 'eq', 'Big'],
      ['status', 'eq', 'FAILED'],
      ['isArchiveEnabled', 'eq', 'true'],
      ['outputImageManifests', 'contains', `app@${digest}`],
    );
    expect(groups).toEqual([
      ['p:index:task:build-app'],
      ['p:index:pool:big'],
      ['p:index:status:failed'],
      ['p:archived'],
      [`p:index:image:${digest}`],
    ]);
    expect(isCovered).toBe(true);
  });

  it('takes all other statuses and types for what is not one of them', () => {
    expect(plan(['runType', 'ne', 'quickbuild']).groups).toEqual([
      ['p:index:type:quickrun', 'p:index:type:autobuild', 'p:index:type:autorun'],
    ]);
    expect(plan(['status', 'ne', 'Succeeded']).groups[0]).toHaveLength(7);
  });

  it('narrows names and times to what all conditions leave', () => {
    expect(plan(['runId', 'gt', 'ca1'], ['runId', 'le', 'caz'], ['runId', 'ne', 'ca5']).numbers).toEqual({
      min: 1,
      max: 35,
    });
    expect(plan(['runId', 'eq', 'no name']).numbers).toEqual({ min: 1, max: 0 });
    const day = Date.parse('2026-11-21');
    const times = plan(
      ['createTime', 'ge', '2026-11-21'],
      ['finishTime', 'lt', '2026-11-22'],
      ['finishTime', 'ge', '2026-11-21'],
    );
    expect(times.created).toEqual({ min: day, max: day + 86_400_000 });
    expect(plan(['createTime', 'lt', 'no time']).created).toEqual({ min: -Infinity, max: Infinity });
  });
});
