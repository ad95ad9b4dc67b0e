import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { SourceTrigger, Task } from '../../src/domain/task.ts';
import type { Store } from '../../src/store/ports.ts';
import { repositoryKeysOf } from '../../src/trigger/repository-keys.ts';
import { sealTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import { aTask } from './tasks.ts';

export const hookSecret = 'the secret of the webhook';
export const repositoryUrl = 'https://github.com/Acme/shop.git';

/** A source trigger of the repository, for pushes to any branch. */
export function aSourceTrigger(change: Partial<SourceTrigger> = {}): SourceTrigger {
  return {
    name: 'source',
    status: 'Enabled',
    sourceRepository: { sourceControlType: 'Github', repositoryUrl },
    sourceTriggerEvents: ['commit'],
    ...change,
  };
}

/** A task that watches the repository and builds it, its secrets sealed with `key`. */
export function aWatchingTask(key: Buffer, change: Partial<Task> = {}): Task {
  const base = aTask();
  const secrets = { arguments: {}, registries: {}, sources: {}, context: 'context-token', webhook: [hookSecret] };
  return {
    ...base,
    step: { ...base.step, contextPath: `${repositoryUrl}#main:service`, hasContextToken: true },
    trigger: { timerTriggers: [], sourceTriggers: [aSourceTrigger()] },
    sealedSecrets: sealTaskSecrets(key, secrets),
    ...change,
  };
}

/** Writes a task as the API does. */
export async function putTask(store: Pick<Store, 'tasks'>, task: Task): Promise<Task> {
  return store.tasks.put(task, 0, repositoryKeysOf(task));
}

/** The commit of a number: 40 hexadecimal digits. */
export function commitOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

export interface Push {
  readonly commit: string;
  readonly branch?: string;
  readonly id?: string;
  readonly before?: string;
  readonly message?: string;
  readonly url?: string;
  readonly secret?: string;
  /** More members of the payload. */
  readonly besides?: object;
}

export interface SignedDelivery {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** Anything as GitHub would send it, signed. */
export function signDelivery(
  event: string,
  payload: object,
  { id = randomUUID(), secret = hookSecret }: { readonly id?: string; readonly secret?: string } = {},
): SignedDelivery {
  const body = Buffer.from(JSON.stringify(payload));
  return {
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
    body,
  };
}

function repositoryAt(url: string): object {
  const fullName = new URL(url).pathname.slice(1).replace(/\.git$/, '');
  return { id: 1, full_name: fullName, clone_url: url };
}

/** A push as GitHub tells of it, signed. */
export function signPush({
  commit,
  branch = 'main',
  id = randomUUID(),
  before,
  message = 'Change it',
  url,
  secret = hookSecret,
  besides,
}: Push): SignedDelivery {
  const payload = {
    ref: `refs/heads/${branch}`,
    before: before ?? '0'.repeat(40),
    after: commit,
    repository: repositoryAt(url ?? repositoryUrl),
    head_commit: { id: commit, message, author: { name: 'Ada' } },
    commits: [{ id: commit, message, added: ['service/a.txt'], modified: [], removed: [] }],
    sender: { login: 'ada' },
    ...besides,
  };
  return signDelivery('push', payload, { id, secret });
}

/** A pull request as GitHub tells of it, signed. */
export function signPullRequest({
  commit,
  isFork = false,
  action = 'opened',
  id = randomUUID(),
}: {
  commit: string;
  isFork?: boolean;
  action?: string;
  id?: string;
}): SignedDelivery {
  const base = { ...repositoryAt(repositoryUrl), id: 1 };
  const head = isFork ? { ...repositoryAt('https://github.com/eve/shop.git'), id: 2 } : base;
  const request = {
    title: 'Mend it',
    user: { login: 'eve' },
    head: { ref: 'mend', sha: commit, repo: head },
    base: { ref: 'main', repo: base },
  };
  return signDelivery(
    'pull_request',
    { action, number: 7, pull_request: request, repository: base, sender: { login: 'eve' } },
    { id },
  );
}
