import { describe, expect, it } from 'vitest';
import type { WebhookSetup } from '../../src/http/options.ts';
import { createRepositorySetup, guessForge } from '../../src/notify/webhook-setup/for-repository.ts';
import { sealTaskSecrets } from '../../src/trigger/sealed-secrets.ts';
import { aSourceTrigger, aWatchingTask, hookSecret, putTask, repositoryUrl } from '../rig/deliveries.ts';
import { startRig, testKey } from './rig.ts';

const withoutToken = { arguments: {}, registries: {}, sources: {}, webhook: [hookSecret] };

async function start(change: Parameters<typeof aWatchingTask>[1] = {}) {
  const asked: WebhookSetup[] = [];
  const setUp = async (setup: WebhookSetup) => {
    asked.push(setup);
    return [{ action: 'created', id: '7' }];
  };
  const queue = { enqueue: async () => undefined };
  const rig = await startRig({ hooks: { queue, sharedSecrets: [], maxBytes: 1000, setUp } });
  await putTask(rig.store, aWatchingTask(testKey, change));
  return { ...rig, asked };
}

describe('POST tasks/{name}/setUpWebhook', () => {
  it('registers the webhook once for each repository, with the task’s own token', async () => {
    const sourceTriggers = [aSourceTrigger(), aSourceTrigger({ name: 'second', sourceTriggerEvents: ['pullrequest'] })];
    const { api, asked, url } = await start({ trigger: { timerTriggers: [], sourceTriggers } });
    const { status, body } = await api('POST', '/tasks/build-app/setUpWebhook');
    expect(status).toBe(200);
    expect(body).toEqual({
      url: `${url}/hooks/git/build-app`,
      secret: hookSecret,
      contentType: 'application/json',
      webhooks: [
        {
          repositoryUrl,
          events: ['push', 'tag', 'pull request'],
          isRegistered: true,
          results: [{ action: 'created', id: '7' }],
        },
      ],
    });
    expect(asked).toMatchObject([{ repositoryUrl, token: 'context-token', pullRequests: true }]);
  });

  it('asks the forge where the trigger says that its API is', async () => {
    const apiUrl = 'http://git.corp:3000/api/v1';
    const sourceRepository = { ...aSourceTrigger().sourceRepository, apiUrl };
    const sourceTriggers = [aSourceTrigger(), aSourceTrigger({ name: 'second', sourceRepository })];
    const { api, asked } = await start({ trigger: { timerTriggers: [], sourceTriggers } });
    await api('POST', '/tasks/build-app/setUpWebhook', { provider: 'gitea' });
    expect(asked).toMatchObject([{ repositoryUrl, apiUrl, provider: 'gitea' }]);
  });

  it('says what is to be entered by hand where there is no token, and takes one for this call', async () => {
    const { api, asked } = await start({ sealedSecrets: sealTaskSecrets(testKey, withoutToken) });
    const { body } = await api('POST', '/tasks/build-app/setUpWebhook');
    expect(body.webhooks).toEqual([{ repositoryUrl, events: ['push', 'tag'], isRegistered: false, results: [] }]);
    await api('POST', '/tasks/build-app/setUpWebhook', { token: 'given', provider: 'gitea' });
    expect(asked).toMatchObject([{ token: 'given', provider: 'gitea' }]);
  });

  it('refuses a task that watches nothing, and one that does not exist', async () => {
    const { api } = await start({
      trigger: { timerTriggers: [], sourceTriggers: [] },
      sealedSecrets: sealTaskSecrets(testKey, { ...withoutToken, webhook: [] }),
    });
    expect((await api('POST', '/tasks/build-app/setUpWebhook')).status).toBe(400);
    expect((await api('POST', '/tasks/nobody/setUpWebhook')).status).toBe(404);
  });
});

describe('the forge of a repository', () => {
  it('is told by its host, as far as that goes', () => {
    const hosts = ['github.com', 'gitlab.corp.example', 'codeberg.org', 'bitbucket.org', 'git.example.com'];
    expect(hosts.map((host) => guessForge(`https://${host}/a/b.git`))).toEqual([
      'github',
      'gitlab',
      'gitea',
      'bitbucket',
      undefined,
    ]);
    expect(guessForge('https://dev.azure.com/org/project/_git/name')).toBe('azure-devops');
  });

  it('has to be said where the host does not tell', async () => {
    const setUp = createRepositorySetup(async () => ({ status: 200, headers: {}, text: '[]' }));
    const wish = { token: 't', url: 'https://slipway.example/hooks/git/a', secret: 's', pullRequests: false };
    const unknown = { ...wish, repositoryUrl: 'https://git.example.com/a/b.git' };
    await expect(setUp(unknown)).rejects.toMatchObject({ failure: { field: 'provider' } });
    expect(await setUp({ ...unknown, provider: 'gitea' })).toEqual([{ action: 'created' }]);
  });
});
