import { afterEach, describe, expect, it } from 'vitest';
import { codesOf } from '../rig.ts';
import { startCare, type CareRig } from './rig.ts';

const running: CareRig[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

describe('limits of rates', () => {
  it('refuse what comes too fast from one who asks, say when to come again, and leave others alone', async () => {
    const rig = await startCare({ care: { limitsRates: true, tier: 'Basic' } });
    running.push(rig);
    await rig.pushImage('app', 'v1');
    const subject = (await rig.send('HEAD', '/v2/app/manifests/v1')).headers.get('docker-content-digest') ?? '';
    const ask = (): Promise<Response> => rig.send('GET', `/v2/app/referrers/${subject}`);
    for (let at = 0; at < 250; at += 1) expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect([refused.status, await codesOf(refused)]).toEqual([429, ['TOOMANYREQUESTS']]);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await rig.as('puller', 'GET', `/v2/app/referrers/${subject}`)).status).toBe(200);
    expect((await rig.send('GET', '/v2/app/manifests/v1')).status).toBe(200);
    rig.clock.time += 1000;
    for (let at = 0; at < 4; at += 1) expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });

  it('are off unless they are asked for', async () => {
    const rig = await startCare({ care: { tier: 'Basic' } });
    running.push(rig);
    for (let at = 0; at < 300; at += 1)
      expect((await rig.send('GET', `/v2/app/referrers/sha256:${'a'.repeat(64)}`)).status).toBe(200);
  });
});
