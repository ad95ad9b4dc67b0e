import { describe, expect, it } from 'vitest';
import { patientTries } from '../../src/registry-client/retry.ts';
import { waitForOurs } from '../../src/runner/docker/passing.ts';

const away = 'dial tcp 127.0.0.1:5080: connect: connection refused';
const asked = { registry: 'r.io:5080', ours: 'R.io:5080' };

describe('what the engine is asked for of our own registry', () => {
  it('is asked for again while the registry is away, as often as that helps', () => {
    for (let tries = 1; tries < patientTries; tries += 1) expect(waitForOurs(asked, away, tries)).toBeGreaterThan(0);
    expect(waitForOurs(asked, away, patientTries)).toBeUndefined();
  });

  it('is not asked for again when the registry says no', () => {
    for (const fault of ['manifest unknown', 'denied: connection refused']) {
      expect(waitForOurs(asked, fault, 1)).toBeUndefined();
    }
  });

  it('is not waited for where the registry is another, or ours is not known', () => {
    expect(waitForOurs({ ...asked, registry: 'docker.io' }, away, 1)).toBeUndefined();
    expect(waitForOurs({ ...asked, ours: undefined }, away, 1)).toBeUndefined();
    expect(waitForOurs({ registry: undefined, ours: undefined }, away, 1)).toBeUndefined();
  });
});
