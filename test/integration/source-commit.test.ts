import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEgress } from '../../src/egress/egress.ts';
import { createContextOpener } from '../../src/source/open-context.ts';
import { commitFiles, createRepository, removeTree, startGitServer, type GitServer } from '../rig/git-server.ts';
import { filesOf, testLimits } from '../source/tar-rig.ts';

let base = '';
let server: GitServer;
let first = '';

beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'git-commit-'));
  const app = path.join(base, 'repos/app');
  first = await createRepository(app, { Dockerfile: 'FROM one' });
  await commitFiles(app, { Dockerfile: 'FROM two' });
  server = await startGitServer({ root: path.join(base, 'repos') });
}, 30_000);

afterAll(async () => {
  await server.close();
  await removeTree(base);
});

it.each([
  ['the commit that is asked for, in place of the branch', true, 'FROM one'],
  ['the branch when no commit is asked for', false, 'FROM two'],
])('a context of a git repository is at %s', async (_, isAsked, dockerfile) => {
  const egress = createEgress({ allow: ['git.test'], lookup: async () => [{ address: '127.0.0.1', family: 4 }] });
  const uploads = { open: async () => undefined };
  const open = createContextOpener({ egress, tempRoot: base, limits: testLimits, uploads });
  const { signal } = new AbortController();
  const commit = isAsked ? first : undefined;
  const context = await open(`http://git.test:${String(server.port)}/app.git#main`, {
    ...{ secret: undefined, dockerfile: undefined, commit, signal },
  });
  expect((await filesOf(context))['Dockerfile']).toBe(dockerfile);
  await context.dispose();
});
