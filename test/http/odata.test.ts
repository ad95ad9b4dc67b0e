import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/domain/failure.ts';
import { parseFilter } from '../../src/http/odata.ts';

describe('$filter', () => {
  it.each([
    ["status eq 'Queued'", [{ field: 'status', operator: 'eq', value: 'Queued' }]],
    ["STATUS EQ 'queued'", [{ field: 'status', operator: 'eq', value: 'Queued' }]],
    [
      "RunId eq 'ca1' and RunType ne 'autobuild'",
      [
        { field: 'runId', operator: 'eq', value: 'ca1' },
        { field: 'runType', operator: 'ne', value: 'AutoBuild' },
      ],
    ],
    [
      "contains(OutputImageManifests, 'it''s')",
      [{ field: 'outputImageManifests', operator: 'contains', value: "it's" }],
    ],
    [
      '((createTime gt 2026-01-02) and (isArchiveEnabled eq TRUE))',
      [
        { field: 'createTime', operator: 'gt', value: '2026-01-02T00:00:00.000Z' },
        { field: 'isArchiveEnabled', operator: 'eq', value: 'true' },
      ],
    ],
    [
      "finishTime le '2026-01-02T03:04:05+02:00'",
      [{ field: 'finishTime', operator: 'le', value: '2026-01-02T01:04:05.000Z' }],
    ],
    [
      "TaskName eq 'Build-App' and contains(agentPoolName,'big')",
      [
        { field: 'taskName', operator: 'eq', value: 'Build-App' },
        { field: 'agentPoolName', operator: 'contains', value: 'big' },
      ],
    ],
    ['  ', []],
  ])('reads %s', (text, conditions) => {
    expect(parseFilter(text)).toEqual(conditions);
  });

  it.each([
    ["statu eq 'Queued'", /"statu" is no field.*did you mean status\? \(at character 1\)/],
    ["status is 'Queued'", /"is" is no operator \(at character 8\)/],
    ["taskName gt 'x'", /"gt" does not go with taskName/],
    ["status gt 'Queued'", /"gt" does not go with status/],
    ["status eq 'Quiet'", /"Quiet" is no value of status \(at character 11\)/],
    ["status eq 'Queued", /has no end \(at character 11\)/],
    ['status eq', /a value is missing \(at character 10\)/],
    ["status eq 'Queued' or status eq 'Failed'", /"or" is not supported \(at character 20\)/],
    ["not status eq 'Queued'", /"not" is not supported \(at character 1\)/],
    ["status eq 'Queued' status eq 'Failed'", /"status" was not expected \(at character 20\)/],
    ["status eq 'Queued' and", /\(at character 23\)/],
    ["contains(runId 'a')", /"," was expected/],
    ["(status eq 'Queued'", /"\)" was expected/],
    ['createTime gt yesterday', /"yesterday" is no value of createTime/],
    ['createTime gt 2026-13-45', /is no value of createTime/],
    [`${'('.repeat(30)}status eq 'Queued'`, /too many brackets/],
    ['x'.repeat(2001), /longer than 2000/],
  ])('refuses %s and says where', (text, message) => {
    expect(() => parseFilter(text)).toThrow(message);
  });

  it('either reads or refuses whatever it is given', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'status',
        'eq',
        'and',
        'or',
        'not',
        'contains',
        '(',
        ')',
        ',',
        "'",
        "''",
        "'Queued'",
        'createTime',
        ' ',
      ),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          parseFilter(pieces.join(' '));
        } catch (error) {
          expect(error).toBeInstanceOf(FailureError);
          expect((error as FailureError).failure).toMatchObject({ reason: 'invalid-request', field: '$filter' });
        }
      }),
    );
  });
});
