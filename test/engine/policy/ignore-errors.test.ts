import { describe, expect, it } from 'vitest';
import { isIgnored } from '../../../src/engine/policy/ignore-errors.ts';
import { aStep } from '../../rig/steps.ts';
import { failed, succeeded } from '../tries.ts';

const tolerant = aStep('lint', [], { ignoreErrors: true });

describe('ignoreErrors', () => {
  it('forgives a failure and a timeout', () => {
    expect(isIgnored(tolerant, failed(1))).toBe(true);
    expect(isIgnored(tolerant, { kind: 'timed-out', afterMs: 1 })).toBe(true);
  });

  it('has nothing to forgive in a success, and does not forgive what was stopped from outside or never started', () => {
    expect(isIgnored(tolerant, succeeded)).toBe(false);
    expect(isIgnored(tolerant, { kind: 'canceled', reason: 'stopped' })).toBe(false);
    expect(isIgnored(tolerant, { kind: 'skipped', because: 'no' })).toBe(false);
  });

  it('is off unless a step asks for it', () => {
    expect(isIgnored(aStep('lint'), failed(1))).toBe(false);
  });
});
