import { describe, expect, it } from 'vitest';
import type { GitEvent, PullRequestEvent, PushEvent } from '../../../src/trigger/git/event.ts';
import { judge, occasionOf, type ToRun } from '../../../src/trigger/git/judge.ts';
import type { SourceTriggerRules } from '../../../src/trigger/git/rules.ts';
import { commits, firstEvent } from './rig.ts';

const trigger: SourceTriggerRules = { repositoryUrl: 'https://github.com/acme/shop.git#main:services', branch: 'main' };
const push = firstEvent('github-push') as PushEvent;
const fork = firstEvent('github-pull-request-fork') as PullRequestEvent;

/** What a push comes to under changed rules: the reason, or `runs`. */
function verdict(rules: Partial<SourceTriggerRules>, event: GitEvent = push): string {
  const judgement = judge({ ...trigger, ...rules }, event);
  return judgement.runs ? 'runs' : judgement.because;
}

describe('a push', () => {
  it('runs the head commit of the branch', () => {
    expect(judge(trigger, push)).toEqual({
      runs: true,
      eventType: 'commit',
      ref: 'refs/heads/main',
      branch: 'main',
      commit: commits.head,
      isTrusted: true,
    });
  });

  it('to another branch says which', () => {
    expect(verdict({ branch: 'release' })).toBe('branch main is not release');
    expect(verdict({ branches: { include: ['release/*', 'hotfix/**'] } })).toBe(
      'branch main is not release/* or hotfix/**',
    );
    expect(verdict({ branches: { include: ['*'], exclude: ['ma*'] } })).toBe('branch main is excluded by ma*');
  });

  it('runs on every branch when none is named', () => {
    const rules = { repositoryUrl: trigger.repositoryUrl };
    expect(judge(rules, { ...push, branch: 'any/other' }).runs).toBe(true);
  });

  it('is matched by globs: one star stays within a name', () => {
    const at = (branch: string, include: string) => verdict({ branches: { include: [include] } }, { ...push, branch });
    expect(at('feature/pay', 'feature/*')).toBe('runs');
    expect(at('feature/pay/card', 'feature/*')).not.toBe('runs');
    expect(at('feature/pay/card', 'feature/**')).toBe('runs');
    expect(at('v1', 'v[0-9]')).toBe('runs');
  });

  it('of another repository says which', () => {
    expect(verdict({ repositoryUrl: 'https://github.com/acme/other' })).toBe(
      'repository Acme/shop is not github.com/acme/other',
    );
  });

  it('starts nothing when the trigger is disabled or for other events', () => {
    expect(verdict({ isEnabled: false })).toBe('the trigger is disabled');
    expect(verdict({ events: ['pullrequest', 'tag'] })).toBe(
      'commits start nothing here; the trigger is for pull requests or tags',
    );
    expect(verdict({ events: [] })).toBe('commits start nothing here; the trigger is for nothing');
  });

  it.each([
    'Mend [skip ci]',
    '[CI SKIP] mend',
    'Mend\n\n[no ci]',
    'Mend [skip slipway]',
    'Mend\n\nslipway-skip: true',
    'Mend\n\nSlipway-Skip: true\nSigned-off-by: Ada',
  ])('with the message %j is skipped', (message) => {
    expect(verdict({}, { ...push, message })).toMatch(/^the commit message says \S/);
  });

  it.each(['Mend skip ci', 'slipway-skip: false', 'about slipway-skip: true', '[skip cider]'])(
    'with the message %j is not',
    (message) => {
      expect(verdict({}, { ...push, message })).toBe('runs');
    },
  );
});

describe('path filters', () => {
  it.each([
    [{ include: ['services/cart'] }, 'runs'],
    [{ include: ['services/cart/'] }, 'runs'],
    [{ include: ['./services/**'] }, 'runs'],
    [{ include: ['**/*.ts'] }, 'runs'],
    [{ include: ['services/car'] }, 'none of the 2 changed paths is one that the trigger watches'],
    [{ include: ['web/**'] }, 'none of the 2 changed paths is one that the trigger watches'],
    [{ exclude: ['docs'] }, 'runs'],
    [{ exclude: ['docs', 'services/**'] }, 'none of the 2 changed paths is one that the trigger watches'],
    [{ include: ['services'], exclude: ['**/*.ts'] }, 'none of the 2 changed paths is one that the trigger watches'],
  ])('%j', (paths, expected) => {
    expect(verdict({ paths })).toBe(expected);
  });

  it('say of a single path why it does not count', () => {
    const event = { ...push, changed: { paths: ['docs/a.md'], isComplete: true } };
    expect(verdict({ paths: { exclude: ['docs/**'] } }, event)).toBe('docs/a.md is excluded by docs/**');
    expect(verdict({ paths: { include: ['src/**'] } }, event)).toBe('docs/a.md is not src/**');
  });

  it('never skip a push whose paths are not all known', () => {
    const rules = { ...trigger, paths: { include: ['web/**'] } };
    const { changed: _, ...unknown } = push;
    for (const event of [unknown, { ...push, changed: { paths: ['docs/a.md'], isComplete: false } }]) {
      expect(judge(rules, event)).toMatchObject({ runs: true, note: expect.stringContaining('changed paths') });
    }
  });

  it('that are malformed are named', () => {
    expect(() => judge({ ...trigger, paths: { include: ['ok', 'a[b'] } }, push)).toThrow(/paths\.include\[1\]/);
    expect(() => judge({ ...trigger, branches: { exclude: [''] } }, push)).toThrow(/branches\.exclude\[0\]/);
  });
});

describe('a tag', () => {
  const tag = { ...firstEvent('github-tag'), message: 'Release [skip ci]' } as GitEvent;

  it('runs only where tags are asked for, whatever its commit message says', () => {
    expect(verdict({}, tag)).toBe('tags start nothing here; the trigger is for commits');
    expect(judge({ ...trigger, events: ['tag'] }, tag)).toEqual({
      runs: true,
      eventType: 'tag',
      ref: 'refs/tags/v1.2.0',
      tag: 'v1.2.0',
      commit: commits.head,
      isTrusted: true,
    });
  });

  it('is held against the filter of tags', () => {
    expect(verdict({ events: ['tag'], tags: { include: ['v2.*'] } }, tag)).toBe('tag v1.2.0 is not v2.*');
    expect(verdict({ events: ['tag'], tags: { include: ['v*'], exclude: ['*-rc*'] } }, tag)).toBe('runs');
  });
});

describe('a pull request', () => {
  const rules: SourceTriggerRules = { ...trigger, events: ['commit', 'pullrequest'] };

  it('starts nothing by default', () => {
    expect(verdict({}, fork)).toBe('pull requests start nothing here; the trigger is for commits');
  });

  it('of a fork runs without trust, unless the task gives it', () => {
    expect(judge(rules, fork)).toEqual({
      runs: true,
      eventType: 'pullrequest',
      ref: 'refs/pull/7/head',
      commit: commits.head,
      branch: 'pay',
      pullRequestId: '7',
      isTrusted: false,
    });
    expect(judge({ ...rules, trustsForks: true }, fork)).toMatchObject({ isTrusted: true });
  });

  it('of the repository itself is trusted', () => {
    expect(judge(rules, firstEvent('github-pull-request-own'))).toMatchObject({ runs: true, isTrusted: true });
  });

  it('is held against the branch that it goes to', () => {
    expect(verdict({ ...rules, branch: 'release' }, fork)).toBe('pull request 7 goes to main, which is not release');
  });

  it('that was closed starts nothing', () => {
    const closed = { ...fork, pullRequest: { ...fork.pullRequest, action: 'closed' as const } };
    expect(verdict(rules, closed)).toBe('pull request 7 was closed');
  });

  it('of a fork whose forge keeps no refs of it is fetched from the fork', () => {
    const event = firstEvent('bitbucket-cloud-pull-request-fork');
    const judgement = judge({ ...rules, repositoryUrl: 'https://bitbucket.org/acme/shop' }, event) as ToRun;
    expect(judgement).toMatchObject({ fetchUrl: 'https://bitbucket.org/mallory/shop', isTrusted: false });
    expect(judgement).not.toHaveProperty('commit');
  });

  it('of such a fork that is gone starts nothing: the branch of that name would be another', () => {
    const event = firstEvent('bitbucket-cloud-pull-request-fork') as PullRequestEvent;
    const { headCloneUrl: _, ...pullRequest } = event.pullRequest;
    const because = 'the repository of pull request 7 is gone';
    const bitbucket = { ...rules, repositoryUrl: 'https://bitbucket.org/acme/shop' };
    expect(judge(bitbucket, { ...event, pullRequest })).toEqual({ runs: false, because });
  });
});

describe('other events', () => {
  it('say why they start nothing', () => {
    expect(verdict({}, firstEvent('github-ping'))).toContain('a ping starts nothing');
    expect(verdict({}, firstEvent('github-branch-deleted'))).toBe('branch old-work was deleted');
  });
});

describe('a delivery without addresses', () => {
  it('is matched by its name', () => {
    const event = firstEvent('bitbucket-server-push-without-links');
    expect(verdict({ repositoryUrl: 'https://bitbucket.example.com/scm/web/shop.git' }, event)).toBe('runs');
    expect(verdict({ repositoryUrl: 'https://bitbucket.example.com/scm/web/other.git' }, event)).toContain('WEB/shop');
  });
});

describe('an occasion', () => {
  it('is the same for two deliveries of one push, and another when a branch returns to a commit', () => {
    expect(occasionOf(push)).toBe(occasionOf({ ...push, message: 'told by another webhook' }));
    expect(occasionOf(push)).not.toBe(occasionOf({ ...push, before: commits.between }));
  });

  it('is the same for edits of a pull request, and another for new commits and for a reopening', () => {
    const occasions = (['opened', 'synchronize', 'reopened'] as const).map((action) =>
      occasionOf({ ...fork, pullRequest: { ...fork.pullRequest, action } }),
    );
    expect(occasions[0]).toBe(occasions[1]);
    expect(occasions[0]).not.toBe(occasions[2]);
    const later = { ...fork, pullRequest: { ...fork.pullRequest, headCommit: commits.between } };
    expect(occasionOf(later)).not.toBe(occasions[0]);
  });

  it('is known for a pull request of Bitbucket Cloud by its short commit', () => {
    expect(occasionOf(firstEvent('bitbucket-cloud-pull-request-own'))).toBe('pull-request 7 9f8e7d6c5b4a');
  });

  it('is none for what starts nothing', () => {
    expect(occasionOf(firstEvent('github-ping'))).toBeUndefined();
  });
});
