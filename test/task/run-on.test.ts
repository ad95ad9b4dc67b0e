import { describe, expect, it } from 'vitest';
import { warningsOf } from './rig.ts';

describe('runOn', () => {
  it('warns of a step that could only run on the failure of none', () => {
    const warning = 'this step waits for no other, whose failure it could run on: it never runs';
    expect(warningsOf('steps: [{cmd: a}, {cmd: b, when: ["-"], runOn: failure}]')).toEqual([`1:48 ${warning}`]);
    expect(warningsOf('steps: [{cmd: a, runOn: Failure}]')).toEqual([`1:25 ${warning}`]);
    expect(warningsOf('steps: [{cmd: a, runOn: always}, {cmd: b, runOn: failure}]')).toEqual([]);
  });
});
