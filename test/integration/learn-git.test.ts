import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEgress } from '../../src/egress/egress.ts';
import type { Lookup } from '../../src/egress/ports.ts';
import { learnTask } from '../../src/patch/learn/learn-task.ts';
import { createContextOpener } from '../../src/source/open-context.ts';
import { requestOfTask } from '../../src/trigger/task-request.ts';
import { createMeans, dockerTask, registryHost, yamlTask } from '../patch/learn/rig.ts';
import { commitFiles, createRepository, git, removeTree, startGitServer, type GitServer } from '../rig/git-server.ts';
import { testLimits } from '../source/tar-rig.ts';

const lookup: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];
let base = '';
let temp = '';
let commit = '';
let server: GitServer;

beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'learn-test-'));
  temp = path.join(base, 'temp');
  await mkdir(temp);
  const app = path.join(base, 'repos/app');
  commit = await createRepository(app, {
    'web/Dockerfile': 'ARG V=20\nFROM node:${V} AS build\nRUN x\nFROM reg.test:5000/run:1\nCOPY --from=build /a /a\n',
    'tool/Dockerfile': 'FROM alpine:3.20\n',
  });
  await git(app, 'checkout', '--quiet', '-b', 'next');
  await commitFiles(app, { 'web/Dockerfile': 'FROM php:8\n' });
  server = await startGitServer({ root: path.join(base, 'repos') });
}, 30_000);

afterAll(async () => {
  await server.close();
  await removeTree(base);
});

function locate(more: string): string {
  return `http://git.test:${String(server.port)}/app.git${more}`;
}

function openMeans() {
  const egress = createEgress({ allow: ['git.test'], lookup });
  const uploads = { open: () => Promise.resolve(undefined) };
  const openContext = createContextOpener({ egress, tempRoot: temp, limits: testLimits, uploads });
  return createMeans({}, { openContext }).means;
}

describe('learning from a git repository', () => {
  it('reads the Dockerfile at the branch and folder of the context, and leaves nothing on the disk', async () => {
    const task = dockerTask({
      contextPath: locate('#main:web'),
      arguments: [{ name: 'V', value: '22', isSecret: false }],
    });
    const { images, problems } = await learnTask(task, openMeans());
    expect(problems).toEqual([]);
    expect(images).toEqual([
      {
        image: { registry: registryHost, repository: 'app', tag: 'v1' },
        runtime: { registry: registryHost, repository: 'run', tag: '1' },
        buildTime: [{ registry: 'docker.io', repository: 'library/node', tag: '22' }],
        commit,
      },
    ]);
    const next = await learnTask(dockerTask({ contextPath: locate('#next:web') }), openMeans());
    expect(next.images[0]?.runtime?.repository).toBe('library/php');
    expect(await readdir(temp)).toEqual([]);
  });

  it('reads what the steps of a task name themselves', async () => {
    const text = `version: v1.1.0\nsteps:\n  - build: -t a:1 -f web/Dockerfile web\n  - build: -t b:1 ${locate('#main:tool')}\n`;
    const { images } = await learnTask(yamlTask(text, {}, { contextPath: locate('#main') }), openMeans());
    expect(images.map(({ runtime }) => runtime?.repository)).toEqual(['run', 'library/alpine']);
    expect(await readdir(temp)).toEqual([]);
  });

  it('says what git says when there is no such branch or repository', async () => {
    const gone = await learnTask(dockerTask({ contextPath: locate('#gone') }), openMeans());
    expect(gone).toMatchObject({ isRead: false, images: [] });
    expect(gone.problems[0]).toMatch(/^the context could not be read: /);
    const task = dockerTask({ contextPath: locate('#main').replace('app.git', 'none.git') });
    expect((await learnTask(task, openMeans())).isPassing).toBe(true);
    expect(await readdir(temp)).toEqual([]);
  });

  it('sends the token of the task along, and never shows it', async () => {
    const means = {
      ...openMeans(),
      requestOf: async (task: Parameters<typeof requestOfTask>[0]) =>
        requestOfTask(task, { context: 'tok-en-of-git', arguments: {}, registries: {}, sources: {}, webhook: [] }),
    };
    const found = await learnTask(dockerTask({ contextPath: locate('#main:web') }), means);
    expect(found.problems).toEqual(['the context could not be read: a token is never sent over http; use https']);
    expect(JSON.stringify(found)).not.toContain('tok-en-of-git');
  });
});
