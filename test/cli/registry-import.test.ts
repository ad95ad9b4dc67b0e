import { describe, expect, it } from 'vitest';
import { call, makeFolder, sendJson, startFakeApi, type Handler } from './rig-api.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const progress = { blobs: 2, knownBlobs: 3, bytes: 2048, knownBytes: 4096, manifests: 1 };

function view(status: string, more: object = {}): object {
  const properties = { source: 'ghcr.io/team/app:v1', targets: ['team/app:v1'], progress, ...more };
  return { id: '/x', name: 'job-1', status, properties, ...more };
}

async function setUp(ends: object[], begun: object = view('InProgress')) {
  const post: Handler = (_seen, response) => sendJson(response, begun, 202);
  const get: Handler = (_seen, response) => sendJson(response, ends.length > 1 ? ends.shift() : ends[0]);
  const api = await startFakeApi({ 'POST /api/v1/importImage': post, 'GET /api/v1/imports/job-1': get });
  const env = { SLIPWAY_SERVER: api.url, SLIPWAY_USERNAME: 'admin', SLIPWAY_PASSWORD: 'x' };
  const cwd = await makeFolder();
  const slipway = (words: string[], stdin?: string) =>
    call(['registry', 'import', ...words], { env, cwd, ...(stdin !== undefined && { stdin }) });
  const sent = (): unknown => JSON.parse(api.of('POST')[0]?.body.toString() ?? 'null');
  return { slipway, sent };
}

describe('slipway registry import', () => {
  it('asks for the image with all that belongs to it, and waits for it', async () => {
    const { slipway, sent } = await setUp([view('InProgress'), view('Succeeded', { digest })]);
    const words = ['ghcr.io/team/app:v1', '--image', 'team/app:v1', 'team/app:latest', '--platform', 'linux/amd64'];
    const result = await slipway(words);
    expect([result.code, result.stdout]).toEqual([0, `team/app:v1  ${digest}\n`]);
    expect(result.stderr).toContain('1 manifests, 2.0 KiB fetched');
    expect(sent()).toEqual({
      source: { registryUri: 'ghcr.io', sourceImage: 'team/app:v1' },
      targetTags: ['team/app:v1', 'team/app:latest'],
      mode: 'NoForce',
      platforms: ['linux/amd64'],
      referrers: true,
    });
  });

  it('sends the password that stdin gives, and shows it nowhere', async () => {
    const { slipway, sent } = await setUp([view('Succeeded', { digest })]);
    const result = await slipway(
      ['app:v1', '-u', 'me', '--password-stdin', '--force', '--no-referrers'],
      'pass word\n',
    );
    expect(result.code).toBe(0);
    expect(sent()).toEqual({
      source: { sourceImage: 'app:v1', credentials: { username: 'me', password: 'pass word' } },
      mode: 'Force',
      referrers: false,
    });
    expect(result.stdout + result.stderr).not.toContain('pass word');
  });

  it('ends as the import does', async () => {
    const error = { code: 'not-found', message: 'there is no ghcr.io/team/app:v1', hint: 'look again' };
    const { slipway } = await setUp([view('Failed', { error })]);
    const result = await slipway(['ghcr.io/team/app:v1']);
    expect([result.code, result.stdout]).toEqual([3, '']);
    expect(result.stderr).toContain('there is no ghcr.io/team/app:v1');
    expect(result.stderr).toContain('look again');
  });

  it('does not wait when it is told so', async () => {
    const { slipway } = await setUp([]);
    const result = await slipway(['ghcr.io/team/app:v1', '--no-wait']);
    expect([result.code, result.stdout]).toEqual([0, 'Import job-1 of ghcr.io/team/app:v1 has begun.\n']);
  });

  it.each([[['Not A Name']], [['app:v1', '--username', 'me']], [[]]])('refuses %j', async (words) => {
    const { slipway } = await setUp([]);
    expect((await slipway(words)).code).toBe(2);
  });
});
