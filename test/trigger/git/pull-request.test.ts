import { describe, expect, it } from 'vitest';
import type { PullRequestEvent } from '../../../src/trigger/git/event.ts';
import { commits, firstEvent, parseChanged, parsePayload, type Json } from './rig.ts';

describe('pull requests', () => {
  const requestOf = (name: string) => firstEvent(name) as PullRequestEvent;

  it.each([
    ['github-pull-request-fork', 'opened', 'refs/pull/7/head', true],
    ['github-pull-request-own', 'synchronize', 'refs/pull/7/head', false],
    ['gitlab-merge-request-open', 'opened', 'refs/merge-requests/7/head', false],
    ['gitlab-merge-request-update', 'synchronize', 'refs/merge-requests/7/head', true],
    ['gitea-pull-request-sync', 'synchronize', 'refs/pull/7/head', false],
    ['bitbucket-server-pull-request', 'synchronize', 'refs/pull-requests/7/from', true],
    ['azure-devops-pull-request-own', 'opened', 'refs/heads/pay', false],
    ['azure-devops-pull-request-fork', 'synchronize', 'refs/heads/pay', true],
  ])('%s is %s, fetched from %s', (name, action, ref, isFork) => {
    expect(requestOf(name)).toMatchObject({
      kind: 'pull-request',
      ref,
      commit: commits.head,
      pullRequest: { number: 7, action, isFork, headRef: 'pay', baseRef: 'main', title: 'Pay by card' },
    });
  });

  it('of Bitbucket Cloud have no full commit and no ref of their own: the branch, and a fork, are named', () => {
    const fork = requestOf('bitbucket-cloud-pull-request-fork');
    expect(fork).toMatchObject({
      ref: 'refs/heads/pay',
      pullRequest: { isFork: true, headCloneUrl: 'https://bitbucket.org/mallory/shop', headMark: '9f8e7d6c5b4a' },
    });
    expect(fork).not.toHaveProperty('commit');
    const own = requestOf('bitbucket-cloud-pull-request-own').pullRequest;
    expect(own).toMatchObject({ isFork: false, action: 'synchronize' });
    expect(own).not.toHaveProperty('headCloneUrl');
  });

  it('of a repository that is gone count as a fork', () => {
    const gone = (name: string, change: (body: Json) => void) => parseChanged(name, change).events[0];
    expect(gone('github-pull-request-own', (body) => (body.pull_request.head.repo = null))).toMatchObject({
      pullRequest: { isFork: true },
    });
    expect(
      gone('gitlab-merge-request-open', (body) => (body.object_attributes.source_project_id = null)),
    ).toMatchObject({ pullRequest: { isFork: true } });
    expect(
      gone('bitbucket-cloud-pull-request-own', (body) => (body.pullrequest.source.repository = null)),
    ).toMatchObject({ pullRequest: { isFork: true } });
  });

  it('of a fork that has taken the name of the base are forks still', () => {
    const { events } = parseChanged('github-pull-request-own', (body) => (body.pull_request.head.repo.id = 1));
    expect(events[0]).toMatchObject({ pullRequest: { isFork: true } });
  });

  it('that were only edited start nothing, and say so', () => {
    expect(parsePayload('gitlab-merge-request-edited')).toEqual({
      events: [],
      ignored: ['merge request action update brings no new commits'],
    });
    expect(parseChanged('github-pull-request-own', (body) => (body.action = 'labeled')).ignored).toEqual([
      'pull request action labeled brings no new commits',
    ]);
  });
});
