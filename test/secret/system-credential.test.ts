import { describe, expect, it } from 'vitest';
import { createSigner } from '../../src/secret/sign.ts';
import { issueRunCredential } from '../../src/secret/run-credential.ts';
import { checkSystemCredential, issueSystemCredential, systemPurpose } from '../../src/secret/system-credential.ts';

const key = Buffer.alloc(32, 7);
const signer = createSigner(key, systemPurpose);
let time = 1_000_000;
const clock = { now: () => time };

function given({ userName, password }: { userName: string; password: string }) {
  return { username: userName, password };
}

describe('a system credential', () => {
  it('says in whose name it acts', () => {
    expect(checkSystemCredential(signer, given(issueSystemCredential(signer, clock, 'campaign:cp1')), clock)).toBe(
      'campaign:cp1',
    );
  });

  it('is worth nothing after five minutes', () => {
    const issued = given(issueSystemCredential(signer, clock, 'campaign:cp1'));
    time += 5 * 60_000;
    expect(checkSystemCredential(signer, issued, clock)).toBeUndefined();
  });

  it('is worth nothing under another name, with a changed word, or of another key', () => {
    const issued = given(issueSystemCredential(signer, clock, 'campaign:cp1'));
    expect(checkSystemCredential(signer, { ...issued, username: 'run' }, clock)).toBeUndefined();
    expect(checkSystemCredential(signer, { ...issued, password: `${issued.password}x` }, clock)).toBeUndefined();
    expect(checkSystemCredential(createSigner(Buffer.alloc(32, 8), systemPurpose), issued, clock)).toBeUndefined();
  });

  it('cannot be had with the credential of a run', () => {
    const run = issueRunCredential(createSigner(key, 'run'), clock, { runId: 'ca1', attempt: 1, timeoutSeconds: 300 });
    expect(checkSystemCredential(signer, { username: 'system', password: run.password }, clock)).toBeUndefined();
  });
});
