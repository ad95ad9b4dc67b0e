import { describe, expect, it } from 'vitest';
import type { CheckMessage, CollectionReport } from '../../src/domain/registry-upkeep.ts';
import { call, makeFolder, sendError, sendJson, startFakeApi } from './rig-api.ts';

const report: CollectionReport = {
  ...{ dryRun: true, unlinked: { count: 2, bytes: 2048 }, condemned: 1 },
  ...{ removed: { count: 3, bytes: 4096 }, waiting: 4 },
};
const summary = {
  ...{ is: 'summary', repositories: 1, manifests: 2, tags: 3, contents: { count: 4, bytes: 5000 } },
  ...{ read: 5000, findings: 1, left: 1, seconds: 0.5 },
} as const;
const finding = {
  ...{ is: 'finding', kind: 'tag-dangling', severity: 'error', where: 'app:v1' },
  ...{ message: 'the tag stands for nothing', hint: 'delete it' },
} as const;

async function setUp(lines: readonly (CheckMessage | object)[]) {
  const api = await startFakeApi({
    'POST /api/v1/registry/gc': (_, response) => {
      sendJson(response, report);
    },
    'POST /api/v1/registry/check': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    },
  });
  const env = { SLIPWAY_DATA: await makeFolder() };
  return {
    api,
    slipway: (...words: string[]) => call(['registry', ...words, '--server', api.url], { env }),
  };
}

describe('slipway registry gc', () => {
  it('says what went, or would', async () => {
    const { slipway, api } = await setUp([]);
    const { code, stdout } = await slipway('gc', '--dry-run', '--walk');
    expect(code).toBe(0);
    expect(stdout).toContain('2 blobs (2.0 KiB) that no manifest names would leave their repositories.\n');
    expect(stdout).toContain('3 contents (4.0 KiB) would be removed; 4 wait.\n');
    expect(JSON.parse(api.seen.at(-1)?.body.toString() ?? '')).toEqual({ dryRun: true, walk: true });
    expect(JSON.parse((await slipway('gc', '--json')).stdout)).toEqual(report);
  });

  it('says that the store cannot be reached', async () => {
    const { slipway, api } = await setUp([]);
    api.handlers['POST /api/v1/registry/gc'] = (_, response) => {
      sendError(response, 503, { code: 'ServiceUnavailable', message: 'the disk is full' });
    };
    expect((await slipway('gc')).code).not.toBe(0);
  });
});

describe('slipway registry check', () => {
  it('shows what it finds, and ends with 1 when something is left', async () => {
    const progress = { is: 'progress', phase: 'contents', done: 2, total: 4, bytes: 2048 };
    const { slipway, api } = await setUp([progress, finding, summary]);
    const { code, stdout, stderr } = await slipway('check', '--repair', '--repository', 'app', '--no-bytes');
    expect(code).toBe(1);
    expect(stdout).toContain('error    tag-dangling  app:v1: the tag stands for nothing – delete it\n');
    expect(stdout).toContain('1 findings, 1 left to be done.\n');
    expect(stderr).toContain('contents: 2 of 4, 2.0 KiB read');
    const order = { repair: true, repository: 'app', bytes: false };
    expect(JSON.parse(api.seen.at(-1)?.body.toString() ?? '')).toEqual(order);
    const { stdout: json } = await slipway('check', '--json');
    expect(JSON.parse(json)).toMatchObject({ findings: [{ kind: 'tag-dangling' }], summary: { left: 1 } });
  });

  it('ends with 0 when all is well', async () => {
    const { slipway } = await setUp([{ ...summary, findings: 0, left: 0 }]);
    const { code, stdout } = await slipway('check');
    expect([code, stdout]).toEqual([0, expect.stringContaining('nothing is wrong')]);
  });

  it('does not take a check that was broken off for a good one', async () => {
    expect((await (await setUp([finding])).slipway('check')).code).toBe(4);
    expect((await (await setUp([{ is: 'failure', message: 'the disk failed' }])).slipway('check')).code).toBe(4);
  });

  it('checks a data directory without a server, and says when one has it', async () => {
    const env = { SLIPWAY_DATA: await makeFolder() };
    const data = await makeFolder();
    const { code, stdout, stderr } = await call(['registry', 'check', '--data', data], { env });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(stdout).toContain('Checked 0 repositories');
  });
});
