import { describe, expect, it } from 'vitest';
import { FailureError } from '../../../src/domain/failure.ts';
import type { PushEvent } from '../../../src/trigger/git/event.ts';
import {
  commits,
  firstEvent,
  parseChanged,
  parseDelivery,
  parsePayload,
  payloadNames,
  readPayload,
  type Json,
} from './rig.ts';

function faultOf(action: () => unknown): { reason: string; field?: string | undefined } {
  try {
    action();
  } catch (error) {
    if (error instanceof FailureError) return { reason: error.failure.reason, field: error.failure.field };
    throw error;
  }
  throw new Error('nothing was thrown');
}

const pushes = [
  'github-push',
  'gitlab-push',
  'gitea-push',
  'forgejo-push',
  'gogs-push',
  'bitbucket-cloud-push',
  'bitbucket-server-push',
  'azure-devops-push',
  'generic-push',
];

describe.each(pushes)('%s', (name) => {
  it('is a push of the head after it, to the branch, by its author', () => {
    expect(firstEvent(name)).toMatchObject({
      kind: 'push',
      ref: 'refs/heads/main',
      branch: 'main',
      commit: commits.head,
      before: commits.before,
      message: expect.stringContaining('Mend the cart'),
      author: { name: expect.stringContaining('Ada Example') },
      sender: { name: expect.stringMatching(/^ada/i) },
    });
  });
});

describe('changed paths', () => {
  const changedOf = (name: string) => (firstEvent(name) as PushEvent).changed;

  it('are those of all commits of the push', () => {
    const paths = ['services/cart/index.ts', 'docs/cart.md'];
    expect(changedOf('github-push')).toEqual({ paths, isComplete: true });
    expect(changedOf('gitlab-push')).toEqual({ paths: ['services/cart/index.ts', 'docs/old.md'], isComplete: true });
    expect(changedOf('gitea-push')).toEqual({ paths: paths.slice(0, 1), isComplete: true });
    expect(changedOf('generic-push')).toEqual({ paths: paths.slice(0, 1), isComplete: true });
  });

  it('are not known where the forge does not list them', () => {
    for (const name of ['bitbucket-cloud-push', 'bitbucket-server-push', 'azure-devops-push']) {
      expect(changedOf(name)?.isComplete ?? false, name).toBe(false);
    }
  });

  it('are incomplete for a new branch, a forced push, and a forge that does not say how many commits there are', () => {
    expect(changedOf('github-branch-created')?.isComplete).toBe(false);
    expect(changedOf('gogs-push')?.isComplete).toBe(false);
    const { events } = parseChanged('github-push', (body) => (body.forced = true));
    expect(events[0]).toMatchObject({ changed: { isComplete: false } });
  });

  it('are incomplete when the list of commits was cut', () => {
    const commit = readPayload('github-push').body.head_commit;
    for (const count of [20, 2048]) {
      const { events } = parseChanged('github-push', (body) => (body.commits = Array(count).fill(commit)));
      expect(events[0], String(count)).toMatchObject({ changed: { isComplete: false } });
    }
    const gitlab = parseChanged('gitlab-push', (body) => (body.total_commits_count = 21));
    expect(gitlab.events[0]).toMatchObject({ changed: { isComplete: false } });
    const gitea = parseChanged('gitea-push', (body) => (body.total_commits = 6));
    expect(gitea.events[0]).toMatchObject({ changed: { isComplete: false } });
  });

  it('are incomplete when a commit lists so many files that some may be missing', () => {
    const { events } = parseChanged('github-push', (body) => {
      body.commits[0].added = Array.from({ length: 3000 }, (_, at) => `file-${String(at)}`);
    });
    expect(events[0]).toMatchObject({ changed: { isComplete: false } });
  });
});

describe('repositories', () => {
  it('carry every address of the forge, without credentials', () => {
    expect(firstEvent('github-push').repository).toEqual({
      cloneUrls: ['https://github.com/Acme/shop.git', 'git@github.com:Acme/shop.git', 'https://github.com/Acme/shop'],
      fullName: 'Acme/shop',
      host: 'github.com',
      ids: { repositoryId: '35129377' },
    });
    expect(firstEvent('gitea-push').repository?.host).toBe('git.example.com:3000');
    expect(firstEvent('azure-devops-push').repository).toEqual({
      cloneUrls: ['https://dev.azure.com/acme/Web%20Team/_git/shop'],
      fullName: 'Web Team/shop',
      host: 'dev.azure.com',
      ids: {
        repositoryId: '278d5cd2-584d-4b63-824a-2ba458937249',
        projectId: '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c',
      },
    });
  });

  it('carry what the API of the forge asks for', () => {
    expect(firstEvent('gitlab-push').repository).toMatchObject({ fullName: 'acme/web/shop', ids: { projectId: '15' } });
    expect(firstEvent('bitbucket-server-push').repository).toMatchObject({
      fullName: 'WEB/shop',
      host: 'bitbucket.example.com',
      ids: { projectKey: 'WEB', slug: 'shop' },
    });
    expect(firstEvent('bitbucket-server-push-without-links').repository).toMatchObject({ cloneUrls: [] });
  });
});

describe('tags', () => {
  it.each(['github-tag', 'gitlab-tag', 'gitea-tag', 'gogs-tag'])('of %s lead to the commit', (name) => {
    expect(firstEvent(name)).toMatchObject({ kind: 'tag', tag: 'v1.2.0', commit: commits.head });
    expect(firstEvent(name)).not.toHaveProperty('before');
  });
});

describe('one delivery of several refs', () => {
  it('gives an event for each', () => {
    expect(parsePayload('bitbucket-cloud-push').events).toMatchObject([
      { kind: 'push', branch: 'main', commit: commits.head },
      { kind: 'tag', tag: 'v1.2.0', commit: commits.head },
      { kind: 'branch-deleted', name: 'old-work', before: commits.between },
    ]);
    expect(parsePayload('bitbucket-server-push').events).toMatchObject([
      { kind: 'push', branch: 'main', commit: commits.head },
      { kind: 'branch-deleted', name: 'old-work' },
    ]);
  });

  it('does not lose a good ref for the sake of a bad one beside it', () => {
    const { events, ignored } = parseChanged('bitbucket-cloud-push', (body) => {
      body.push.changes[1].new.name = 'v1;rm -rf';
    });
    expect(events.map(({ kind }) => kind)).toEqual(['push', 'branch-deleted']);
    expect(ignored).toEqual([expect.stringContaining('push.changes[1].new.name')]);
  });

  it('is refused when there are thousands', () => {
    const faulty = () =>
      parseChanged('azure-devops-push', ({ resource }) => {
        resource.refUpdates = Array(1001).fill(resource.refUpdates[0]);
      });
    expect(faultOf(faulty).reason).toBe('invalid-request');
  });
});

describe('deleted branches', () => {
  it.each(['github-branch-deleted', 'gitlab-branch-deleted'])('of %s are told apart from pushes', (name) => {
    expect(firstEvent(name)).toMatchObject({ kind: 'branch-deleted', name: 'old-work', before: commits.before });
  });
});

describe('other events', () => {
  it.each(['github-ping', 'bitbucket-server-ping'])('%s shows that the webhook works', (name) => {
    expect(parsePayload(name).events).toMatchObject([{ kind: 'ping' }]);
  });

  it.each([
    ['github-push', 'x-github-event', 'star'],
    ['gitea-push', 'x-gitea-event', 'issues'],
    ['gitlab-push', 'x-gitlab-event', 'Note Hook'],
    ['bitbucket-cloud-push', 'x-event-key', 'repo:fork'],
    ['bitbucket-cloud-push', 'x-event-key', 'constructor'],
    ['gitlab-push', 'x-gitlab-event', 'toString'],
  ])('are ignored with a reason (%s %s: %s)', (name, header, event) => {
    const { headers, body } = readPayload(name);
    const { events, ignored } = parseDelivery({ headers: { ...headers, [header]: event }, body });
    expect(events).toEqual([]);
    expect(ignored).toEqual([`event ${event} starts nothing`]);
  });

  it('of Azure DevOps are ignored by the type in the body', () => {
    const { ignored } = parseChanged('azure-devops-push', (body) => (body.eventType = 'build.complete'));
    expect(ignored).toEqual(['event build.complete starts nothing']);
  });

  it('of a hook for a whole GitLab are read by the kind in the body', () => {
    const { headers, body } = readPayload('gitlab-push');
    const { events } = parseDelivery({ headers: { ...headers, 'x-gitlab-event': 'System Hook' }, body });
    expect(events).toMatchObject([{ kind: 'push', commit: commits.head }]);
  });

  it('keep notes and other refs from starting anything', () => {
    expect(parseChanged('github-push', (body) => (body.ref = 'refs/notes/commits'))).toEqual({
      events: [],
      ignored: ['refs/notes/commits is neither a branch nor a tag'],
    });
  });
});

describe('what is not as the forge documents it', () => {
  it.each([
    ['github-push', (body: Json) => delete body.repository, 'repository'],
    ['github-push', (body: Json) => (body.after = 'main'), 'after'],
    ['github-push', (body: Json) => (body.after = commits.head.slice(0, 12)), 'after'],
    ['github-push', (body: Json) => (body.ref = 7), 'ref'],
    ['github-push', (body: Json) => (body.commits[1].added = [null]), 'commits[1].added[0]'],
    ['github-pull-request-own', (body: Json) => (body.number = 0), 'number'],
    ['github-pull-request-own', (body: Json) => (body.pull_request.head.sha = 'x'), 'pull_request.head.sha'],
    ['gitlab-merge-request-open', (body: Json) => delete body.object_attributes.iid, 'object_attributes.iid'],
    ['bitbucket-cloud-push', (body: Json) => (body.repository.full_name = 'a/b?c'), 'repository.full_name'],
    ['azure-devops-push', (body: Json) => (body.resource.refUpdates = {}), 'resource.refUpdates'],
    ['generic-push', (body: Json) => (body.repository = 'no url'), 'repository'],
    ['generic-push', (body: Json) => (body.changedpaths = []), undefined],
  ])('is refused and the field named (%s, %s)', (name, change, field) => {
    expect(faultOf(() => parseChanged(name, change))).toEqual({ reason: 'invalid-request', field });
  });

  it.each([
    'refs/heads/-option',
    'refs/heads/$(id)',
    'refs/heads/a b',
    'refs/heads/a..b',
    'refs/heads/a@{1}',
    'refs/heads/a.lock',
    'refs/heads/.a',
    'refs/heads/a/',
    'refs/heads//a',
    "refs/heads/a'b",
    'refs/heads/a\nb',
    'refs/heads/{{.Run.ID}}',
    `refs/heads/${'a'.repeat(300)}`,
  ])('is refused as a ref: %j', (ref) => {
    const fault = faultOf(() => parseChanged('github-push', (body) => (body.ref = ref)));
    expect(fault).toEqual({ reason: 'invalid-request', field: 'ref' });
  });

  it('has its texts cut and cleaned', () => {
    const [event] = parseChanged('github-push', (body) => {
      body.head_commit.message = `one\r\ntwo\u0000\u202e\ud800${'x'.repeat(100_000)}`;
      body.head_commit.author.name = 'n'.repeat(300);
      body.sender.login = 'a\nb';
    }).events as PushEvent[];
    expect(event?.message?.slice(0, 10)).toBe('one\ntwo\ufffd\ufffd\ufffd');
    expect(event?.message?.length).toBeLessThanOrEqual(16_384);
    expect(event?.author?.name.length).toBe(256);
    expect(event?.sender?.name).toBe('a b');
  });
});

it('all recorded payloads are read', () => {
  for (const name of payloadNames) expect(() => parsePayload(name), name).not.toThrow();
});
