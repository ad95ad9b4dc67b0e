import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  commitFiles,
  createCertificate,
  createRepository,
  git,
  removeTree,
  startGitServer,
} from '../rig/git-server.ts';
import { eventually, startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, type RunDocument } from '../rig/quick-build.ts';

const token = 'a-token-of-the-forge';
const taskYaml = [
  'version: v1.1.0',
  'steps:',
  '  - build: -t $Registry/pushed:$ID .',
  '  - cmd: $Registry/pushed:$ID cat /c/version /c/lib/name',
  '  - push: ["$Registry/pushed:$ID"]',
].join('\n');

let root: string;
let app: string;
let forge: Awaited<ReturnType<typeof startGitServer>>;
let slipway: Installation;
let hook: { readonly url: string; readonly secret: string };
let repositoryUrl: string;

/** A repository whose folder `ci` holds a task, a Dockerfile and a submodule, on a server that wants a token. */
async function createForge(): Promise<string> {
  root = await mkdtemp(join(tmpdir(), 'slipway-git-trigger-'));
  app = join(root, 'team', 'app');
  await createRepository(join(root, 'team', 'lib'), { name: 'the library\n' });
  await createRepository(app, {
    'ci/task.yaml': taskYaml,
    'ci/Dockerfile': 'FROM busybox:latest\nCOPY . /c\n',
    'ci/version': 'version zero\n',
  });
  await git(app, 'submodule', 'add', '--quiet', join(root, 'team', 'lib'), 'ci/lib');
  await git(app, 'config', '--file', '.gitmodules', 'submodule.ci/lib.url', '../lib.git');
  await commitFiles(app, {});
  const { key, cert, caFile } = await createCertificate(root, 'localhost');
  forge = await startGitServer({ root, token, tls: { key, cert } });
  repositoryUrl = `https://localhost:${forge.port}/team/app.git`;
  return caFile;
}

async function createTask(name: string): Promise<void> {
  const step = {
    type: 'FileTask',
    contextPath: `${repositoryUrl}#main:ci`,
    contextAccessToken: token,
    taskFilePath: 'task.yaml',
  };
  const sourceRepository = { sourceControlType: 'Github', repositoryUrl, branch: 'main' };
  const trigger = { sourceTriggers: [{ name: 'source', sourceRepository, sourceTriggerEvents: ['commit'] }] };
  const body = JSON.stringify({ properties: { platform: { os: 'Linux' }, step, trigger } });
  await slipway.request(`/api/v1/tasks/${name}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': 'application/json' },
  });
  const details = await (await slipway.request(`/api/v1/tasks/${name}/listDetails`, { method: 'POST' })).json();
  const { webhook } = (details as { properties: { webhook: { url: string; secrets: readonly string[] } } }).properties;
  hook = { url: webhook.url, secret: webhook.secrets[0] ?? '' };
}

beforeAll(async () => {
  const caFile = await createForge();
  slipway = await startInstallation({ env: { SLIPWAY_EGRESS_ALLOW: 'localhost', SLIPWAY_GIT_CA_FILE: caFile } });
  await createTask('build-pushed');
}, 90_000);

afterAll(async () => {
  await removeImages(slipway);
  await Promise.all([slipway.stop(), forge.close()]);
  await removeTree(root);
}, 60_000);

/** Tells of a push to main as Gitea does; resolves with the delivery's id. */
async function tell(commit: string, before: string, branch = 'main'): Promise<string> {
  const body = JSON.stringify({
    ref: `refs/heads/${branch}`,
    before,
    after: commit,
    commits: [{ id: commit, message: 'Change it', added: [], removed: [], modified: ['ci/version'] }],
    repository: { id: 4, full_name: 'team/app', clone_url: repositoryUrl.replace('app', 'App') },
    pusher: { login: 'ada', username: 'ada' },
    sender: { login: 'ada', username: 'ada' },
  });
  const answer = await fetch(hook.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-gitea-event': 'push',
      'x-gitea-delivery': randomUUID(),
      'x-gitea-signature': createHmac('sha256', hook.secret).update(body).digest('hex'),
    },
    body,
  });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { deliveryId: string }).deliveryId;
}

interface Verdict {
  readonly runId?: string;
  readonly because?: string;
}

async function verdictOf(deliveryId: string): Promise<Verdict> {
  return eventually('the delivery is worked off', 20_000, async () => {
    const answer = await (await slipway.request(`/api/v1/webhookDeliveries/${deliveryId}`)).json();
    return (answer as { properties: { verdicts: readonly Verdict[] } }).properties.verdicts[0];
  });
}

async function runOf(deliveryId: string): Promise<{ run: RunDocument['properties']; log: string }> {
  const { runId = '', because } = await verdictOf(deliveryId);
  expect(because).toBeUndefined();
  const run = (await ended(slipway, runId, 90_000)).properties;
  return { run, log: await getLog(slipway, runId) };
}

describe('a push to a private repository', () => {
  it('runs the task of exactly that commit, submodule and all, and its image lands', async () => {
    const before = await git(app, 'rev-parse', 'HEAD');
    const first = await commitFiles(app, { 'ci/version': 'version one\n' });
    const second = await commitFiles(app, { 'ci/version': 'version two\n' });
    const { run, log } = await runOf(await tell(first, before));
    expect(run, log).toMatchObject({ status: 'Succeeded', outputImages: [{ repository: 'pushed', tag: run.runId }] });
    expect(log).toContain('version one');
    expect(log).toContain('the library');
    const { log: later } = await runOf(await tell(second, first));
    expect(later).toContain('version two');
    const { digest = '' } = run.outputImages?.[0] ?? {};
    expect((await slipway.request(`/v2/pushed/manifests/${digest}`)).status).toBe(200);
    expect(`${log}${later}`).not.toContain(token);
  }, 120_000);

  it('that was forced runs the commit that is the head now', async () => {
    const before = await git(app, 'rev-parse', 'HEAD');
    await writeFile(join(app, 'ci/version'), 'version two, mended\n');
    await git(app, 'commit', '--quiet', '--all', '--amend', '--message', 'Mend it');
    const { run, log } = await runOf(await tell(await git(app, 'rev-parse', 'HEAD'), before));
    expect(run.status, log).toBe('Succeeded');
    expect(log).toContain('version two, mended');
  }, 120_000);

  it('to another branch starts nothing, and the delivery says why', async () => {
    await git(app, 'switch', '--quiet', '--create', 'dev');
    const commit = await commitFiles(app, { 'ci/version': 'version dev\n' });
    expect(await verdictOf(await tell(commit, '0'.repeat(40), 'dev'))).toEqual({
      task: 'build-pushed',
      because: 'branch dev is not main',
    });
  }, 60_000);
});
