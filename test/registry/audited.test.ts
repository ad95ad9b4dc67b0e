import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/registry/access/audit.ts';
import { basic, imageType, startRegistry, type RunningRegistry } from './rig.ts';

const lines: AuditEntry[] = [];
let running: RunningRegistry;
beforeEach(async () => {
  lines.length = 0;
  running = await startRegistry({ audit: (entry) => void lines.push(entry) });
});
afterEach(async () => {
  await running.stop();
  expect(running.errors).toEqual([]);
});

/** Without when and whence, which are the same in all. */
const told = (): object[] => lines.map(({ time: _, address: __, ...rest }) => rest);

describe('the audit has a line', () => {
  it('for a push, an untag and a deletion, with who did it, when, and from where', async () => {
    const { digest } = await running.pushImage('team/app', 'v1');
    await running.send('DELETE', '/v2/team/app/manifests/v1');
    await running.send('DELETE', `/v2/team/app/manifests/${digest}`);
    const common = { who: 'admin', repository: 'team/app', result: 'done' };
    expect(told()).toEqual([
      { ...common, action: 'push', reference: 'v1' },
      { ...common, action: 'untag', reference: 'v1' },
      { ...common, action: 'delete', reference: digest },
    ]);
    expect(lines[0]).toMatchObject({
      time: '2026-01-01T00:00:00.000Z',
      address: expect.stringContaining('127.0.0.1') as string,
    });
  });

  it('for a change of attributes, and for what Azure’s paths delete', async () => {
    await running.pushImage('app', 'v1');
    lines.length = 0;
    const body = JSON.stringify({ writeEnabled: false });
    const headers = { 'content-type': 'application/json' };
    await running.send('PATCH', '/acr/v1/app/_tags/v1', { body, headers });
    await running.send('PATCH', '/acr/v1/app/_tags/v1', { body: JSON.stringify({ writeEnabled: true }), headers });
    await running.send('DELETE', '/acr/v1/app/_tags/v1');
    await running.send('DELETE', '/acr/v1/app');
    expect(told()).toEqual([
      { who: 'admin', action: 'change-attributes', repository: 'app', reference: 'v1', result: 'done' },
      { who: 'admin', action: 'change-attributes', repository: 'app', reference: 'v1', result: 'done' },
      { who: 'admin', action: 'untag', repository: 'app', reference: 'v1', result: 'done' },
      { who: 'admin', action: 'delete', repository: 'app', result: 'done' },
    ]);
  });

  it('for what somebody may not do', async () => {
    const headers = { authorization: basic('member', 'secret'), 'content-type': imageType };
    await running.send('PUT', '/v2/secret/app/manifests/v1', { body: '{}', headers });
    expect(told()).toEqual([
      { who: 'member', action: 'push', repository: 'secret/app', reference: 'v1', result: 'refused' },
    ]);
  });

  it('for nothing that is read, or wrong for another reason', async () => {
    await running.send('GET', '/v2/app/manifests/v1');
    await running.send('PUT', '/v2/app/manifests/v1', { body: 'nonsense', headers: { 'content-type': imageType } });
    await running.pushBlob('app', 'hello');
    expect(told()).toEqual([]);
  });
});
