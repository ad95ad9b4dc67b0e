import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepId } from '../../src/domain/step.ts';
import { createLastLines, lastLinesLimits } from '../../src/engine/last-lines.ts';
import { recordIo } from './tries.ts';

const step = 'test' as StepId;
const other = 'other' as StepId;

function watch() {
  const lines = createLastLines();
  const io = recordIo();
  return { lines, io, watched: lines.watch(step, io) };
}

describe('the last lines of a step', () => {
  it('are those of both streams in their order, without what Slipway says and without blank ones', () => {
    const { lines, io, watched } = watch();
    watched.output('stdout', 'one');
    watched.output('system', 'pulling');
    watched.output('stderr', '  two');
    watched.output('stdout', ' ');
    expect(lines.read(step)).toEqual(['one', '  two']);
    expect(io.lines).toEqual(['stdout: one', 'system: pulling', 'stderr:   two', 'stdout:  ']);
  });

  it('are ten at most', () => {
    const { lines, watched } = watch();
    for (let count = 1; count <= 25; count++) watched.output('stdout', `line ${count}`);
    expect(lines.read(step)).toEqual(Array.from({ length: 10 }, (_, index) => `line ${index + 16}`));
  });

  it('are two kibibytes at most, the end of the last one first of all', () => {
    const { lines, watched } = watch();
    watched.output('stdout', 'first');
    watched.output('stdout', 'b'.repeat(1500));
    watched.output('stdout', 'c'.repeat(1000));
    expect(lines.read(step)).toEqual(['c'.repeat(1000)]);
    watched.output('stdout', `${'d'.repeat(5000)}end`);
    const [only = ''] = lines.read(step);
    expect(only).toMatch(/^…d+end$/);
    expect(Buffer.byteLength(only)).toBe(lastLinesLimits.bytes - 1);
  });

  it('never have half a character, whatever is written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('ü', '😀', 'a', '€'), maxLength: 2000 }), { maxLength: 12 }),
        (texts) => {
          const { lines, watched } = watch();
          for (const text of texts) watched.output('stdout', text);
          const read = lines.read(step);
          expect(Buffer.byteLength(read.join('\n'))).toBeLessThanOrEqual(lastLinesLimits.bytes);
          expect(read.join('')).not.toContain('\ufffd');
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are those of its last try, and of nobody else', () => {
    const { lines, io, watched } = watch();
    watched.output('stdout', 'first try');
    lines.watch(other, io).output('stdout', 'other');
    const again = lines.watch(step, io);
    expect(lines.read(step)).toEqual([]);
    again.output('stdout', 'second try');
    expect(lines.read(step)).toEqual(['second try']);
  });

  it('let all else through', () => {
    const { io, watched } = watch();
    watched.pushed({ repository: 'app' } as never);
    watched.builtOn([]);
    expect(io.images).toEqual(['app']);
  });
});

describe('the message of a failed run', () => {
  const failed = { status: 'Failed', message: 'step test failed: exit code 2', failed: { step, exitCode: 2 } } as const;

  it('has the last lines of the step below it', () => {
    const { lines, watched } = watch();
    expect(lines.describe(failed)).toBe(failed);
    watched.output('stderr', 'expected 1');
    watched.output('stderr', 'got 2');
    expect(lines.describe(failed)).toEqual({
      ...failed,
      message: 'step test failed: exit code 2; its last lines:\n  expected 1\n  got 2',
    });
  });

  it('is left alone when no step decided, or there is none', () => {
    const { lines, watched } = watch();
    watched.output('stderr', 'x');
    expect(lines.describe({ status: 'Succeeded' })).toEqual({ status: 'Succeeded' });
    expect(lines.describe({ status: 'Failed', failed: { step } })).toEqual({ status: 'Failed', failed: { step } });
  });
});
