import { describe, expect, it } from 'vitest';
import { basic, startRig } from './rig.ts';

describe('who may use the API', () => {
  it('asks for an account, and tells nobody else what there is', async () => {
    const rig = await startRig();
    for (const path of ['/', '/runs', '/runs/ca1', '/workers', '/no-such-thing']) {
      const answer = await rig.api('GET', path, undefined, { authorization: '' });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="slipway", charset="UTF-8"');
      expect(answer.body.error.code).toBe('Unauthorized');
    }
  });

  it.each([
    'Basic',
    'Basic !!!',
    `Basic ${Buffer.from('admin').toString('base64')}`,
    `Basic ${Buffer.from('admin:wrong').toString('base64')}`,
    `Basic ${Buffer.from('root:correct horse').toString('base64')}`,
    basic.replace('Basic', 'Bearer'),
  ])('refuses the header "%s"', async (authorization) => {
    const rig = await startRig();
    expect((await rig.api('GET', '/runs', undefined, { authorization })).status).toBe(401);
  });

  it('asks for nothing where probes and signed URLs go', async () => {
    const rig = await startRig();
    expect((await fetch(`${rig.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${rig.url}/readyz`)).status).toBe(200);
    const { uploadUrl } = (await rig.api('POST', '/listBuildSourceUploadUrl')).body;
    expect((await fetch(uploadUrl, { method: 'PUT', body: 'x' })).status).toBe(201);
  });

  it('is case-sensitive about paths, so that no spelling goes around the check', async () => {
    const rig = await startRig();
    for (const path of ['/API/v1/runs', '/api/V1/runs', '//api/v1/runs', '/api/v1/../v1/runs', '/api/v1%2Fruns']) {
      const response = await fetch(`${rig.url}${path}`);
      expect([401, 404]).toContain(response.status);
    }
  });
});
