import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { GitProviderName } from '../../src/domain/git-repository.ts';
import { createCommitStatusReporter, judgeAnswer } from '../../src/notify/commit-status/reporter.ts';
import { buildStatusRequest } from '../../src/notify/commit-status/requests.ts';
import { describeState, type CommitState, type CommitStatus } from '../../src/notify/commit-status/status.ts';
import { openForge } from '../../src/notify/forge/api.ts';

const commit = '9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c';
const targetUrl = 'https://slipway.example.com/runs/ca1';
const status: CommitStatus = { state: 'failure', commit, task: 'shop', targetUrl, description: 'Step test failed' };

function build(provider: GitProviderName, url: string, more: Partial<CommitStatus> = {}) {
  const request = buildStatusRequest(openForge({ provider, url }, { token: 't0ken' }), { ...status, ...more });
  return { where: `${request.method} ${request.url}`, body: JSON.parse(request.body ?? '') };
}

const hub = { target_url: targetUrl, description: 'Step test failed' };
const bitbucket = { url: targetUrl, description: 'Step test failed', key: 'slipway/shop', name: 'slipway/shop' };

describe('a commit status', () => {
  it.each([
    [
      'github',
      'https://github.com/acme/shop',
      `https://api.github.com/repos/acme/shop/statuses/${commit}`,
      { ...hub, state: 'failure', context: 'slipway/shop' },
    ],
    [
      'gitea',
      'https://git.corp/acme/shop',
      `https://git.corp/api/v1/repos/acme/shop/statuses/${commit}`,
      { ...hub, state: 'failure', context: 'slipway/shop' },
    ],
    [
      'gitlab',
      'https://gitlab.com/acme/web/shop',
      `https://gitlab.com/api/v4/projects/acme%2Fweb%2Fshop/statuses/${commit}`,
      { ...hub, state: 'failed', name: 'slipway/shop' },
    ],
    [
      'bitbucket',
      'https://bitbucket.org/acme/shop',
      `https://api.bitbucket.org/2.0/repositories/acme/shop/commit/${commit}/statuses/build`,
      { ...bitbucket, state: 'FAILED' },
    ],
    [
      'bitbucket',
      'https://bb.corp/scm/WEB/shop.git',
      `https://bb.corp/rest/api/latest/projects/WEB/repos/shop/commits/${commit}/builds`,
      { ...bitbucket, state: 'FAILED' },
    ],
    [
      'azure-devops',
      'https://dev.azure.com/acme/Web Team/_git/shop',
      `https://dev.azure.com/acme/Web%20Team/_apis/git/repositories/shop/commits/${commit}/statuses?api-version=6.0`,
      { state: 'failed', description: 'Step test failed', targetUrl, context: { genre: 'slipway', name: 'shop' } },
    ],
  ] as const)('of %s at %s', (provider, url, where, body) => {
    expect(build(provider, url)).toEqual({ where: `POST ${where}`, body });
  });

  it.each([
    ['github', 'https://github.com/a/b', ['pending', 'pending', 'success', 'failure', 'error', 'error']],
    ['gitlab', 'https://gitlab.com/a/b', ['pending', 'running', 'success', 'failed', 'failed', 'canceled']],
    [
      'bitbucket',
      'https://bitbucket.org/a/b',
      ['INPROGRESS', 'INPROGRESS', 'SUCCESSFUL', 'FAILED', 'FAILED', 'STOPPED'],
    ],
    [
      'bitbucket',
      'https://bb.corp/scm/a/b',
      ['INPROGRESS', 'INPROGRESS', 'SUCCESSFUL', 'FAILED', 'FAILED', 'CANCELLED'],
    ],
    [
      'azure-devops',
      'https://dev.azure.com/o/p/_git/r',
      ['pending', 'pending', 'succeeded', 'failed', 'error', 'error'],
    ],
  ] as const)('says every state in the words of %s at %s', (provider, url, words) => {
    const states: CommitState[] = ['queued', 'running', 'success', 'failure', 'error', 'canceled'];
    expect(states.map((state) => build(provider, url, { state }).body.state)).toEqual(words);
  });

  it('uses the id of a project of GitLab where a delivery told it', () => {
    const repository = { provider: 'gitlab', url: 'https://gitlab.com/a/b', ids: { projectId: '15' } } as const;
    const request = buildStatusRequest(openForge(repository, { token: 't' }), status);
    expect(request.url).toBe(`https://gitlab.com/api/v4/projects/15/statuses/${commit}`);
  });

  it('keeps the key of a task with a long name unique within the 40 characters of Bitbucket', () => {
    const keyOf = (task: string) => build('bitbucket', 'https://bitbucket.org/a/b', { task }).body.key as string;
    const [one, other] = [keyOf(`${'long-'.repeat(9)}one`), keyOf(`${'long-'.repeat(9)}two`)];
    expect(one).toHaveLength(40);
    expect(one).not.toBe(other);
  });
});

describe('a description', () => {
  it('says the step that failed, and why', () => {
    expect(describeState('failure', { step: 'test', because: 'exit code 3', seconds: 41.6 })).toBe(
      'Step test failed after 42 s: exit code 3',
    );
    expect(describeState('queued')).toBe('Queued');
    expect(describeState('running', { step: 'build' })).toBe('Running step build');
    expect(describeState('success', { seconds: 7 })).toBe('Succeeded after 7 s');
    expect(describeState('error', { because: 'the engine is gone' })).toBe('Could not be run: the engine is gone');
    expect(describeState('canceled', { because: 'by ada' })).toBe('Canceled: by ada');
  });

  it('is one line of at most 140 characters, none of them cut in two', () => {
    const text = describeState('failure', { step: 'test', because: `two\nlines ${'🚢'.repeat(300)}` });
    expect(Array.from(text)).toHaveLength(140);
    expect(text).toMatch(/^Step test failed: two lines 🚢+…$/u);
    expect(build('github', 'https://github.com/a/b', { description: 'x'.repeat(1000) }).body.description).toHaveLength(
      140,
    );
  });
});

describe("a forge's answer", () => {
  const answer = (code: number, headers: Record<string, string> = {}, text = '') => ({ status: code, headers, text });

  it('of 2xx is the end of it', () => {
    expect(judgeAnswer('github', answer(201))).toEqual({ verdict: 'done' });
  });

  it('is worth another try when the forge is busy or down', () => {
    for (const code of [408, 429, 500, 502, 503, 504]) {
      expect(judgeAnswer('gitea', answer(code)).verdict, String(code)).toBe('retry');
    }
    expect(judgeAnswer('github', answer(429, { 'retry-after': '60' }))).toMatchObject({ retryAfterSeconds: 60 });
    expect(judgeAnswer('github', answer(503, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }))).not.toHaveProperty(
      'retryAfterSeconds',
    );
  });

  it("tells GitHub's rate limit from a token without rights", () => {
    expect(judgeAnswer('github', answer(403, { 'x-ratelimit-remaining': '0' })).verdict).toBe('retry');
    expect(judgeAnswer('github', answer(403, { 'x-ratelimit-remaining': '4999' })).verdict).toBe('gone');
  });

  it('is final when the token, the repository or the commit is not good', () => {
    for (const code of [400, 401, 403, 404, 410, 422]) {
      expect(judgeAnswer('gitea', answer(code)).verdict, String(code)).toBe('gone');
    }
  });

  it("takes GitLab's refusal of a state that is there already for a success", () => {
    const text = '{"message":"Cannot transition status via :run from :running"}';
    expect(judgeAnswer('gitlab', answer(400, {}, text))).toEqual({ verdict: 'done' });
    expect(judgeAnswer('github', answer(400, {}, text)).verdict).toBe('gone');
  });
});

describe('a reporter', () => {
  const forge = openForge({ provider: 'github', url: 'https://github.com/acme/shop' }, { token: 't0ken' });

  it('retries what the network did, and gives up on an address that is refused', async () => {
    const failing = (reason: 'source-unavailable' | 'timed-out' | 'invalid-request') =>
      createCommitStatusReporter(forge, () => Promise.reject(fail(reason, `it is ${reason}`))).report(status);
    expect(await failing('source-unavailable')).toEqual({ verdict: 'retry', because: 'it is source-unavailable' });
    expect((await failing('timed-out')).verdict).toBe('retry');
    expect((await failing('invalid-request')).verdict).toBe('gone');
  });

  it('lets an abort through', async () => {
    const reason = new Error('shutting down');
    await expect(createCommitStatusReporter(forge, () => Promise.reject(reason)).report(status)).rejects.toBe(reason);
  });
});
