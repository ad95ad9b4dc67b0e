import { GitCommandError, type Git } from './git-command.ts';

const everything = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];

/**
 * Fetches one commit into an empty repository: shallow where the server can, in full where not (dumb http, commits that
 * are no tip, short commit ids). Gives the commit's full id.
 * @throws GitCommandError
 */
export async function fetchCommit(git: Git, url: string, ref: string | undefined): Promise<string> {
  await git.run(['init', '--quiet']);
  await git.run(['remote', 'add', 'origin', url]);
  try {
    await git.run([...fetchWords, '--depth=1', '--', 'origin', remoteName(ref)]);
  } catch (error) {
    if (!(error instanceof GitCommandError) || !needsFullFetch(error.output, ref)) throw error;
    return await fetchEverything(git, ref);
  }
  return await resolveCommit(git, 'FETCH_HEAD');
}

const fetchWords = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];

function remoteName(ref: string | undefined): string {
  if (ref === undefined) return 'HEAD';
  return /^pull\/[0-9]+\/(?:head|merge)$/.test(ref) ? `refs/${ref}` : ref;
}

function isCommitId(ref: string | undefined): boolean {
  return ref !== undefined && /^[0-9a-f]{7,64}$/i.test(ref);
}

function needsFullFetch(output: string, ref: string | undefined): boolean {
  if (/does not support shallow|shallow capabilities/i.test(output)) return true;
  return isCommitId(ref) && /unadvertised object|couldn't find remote ref|not our ref|no such remote ref/i.test(output);
}

async function fetchEverything(git: Git, ref: string | undefined): Promise<string> {
  const head = ref === undefined ? ['+HEAD:refs/remotes/origin/HEAD'] : [];
  const other = ref !== undefined && remoteName(ref) !== ref ? [`+${remoteName(ref)}:${remoteName(ref)}`] : [];
  await git.run([...fetchWords, '--', 'origin', ...everything, ...head, ...other]);
  const name = ref ?? 'HEAD';
  for (const candidate of [`refs/remotes/origin/${name}`, `refs/tags/${name}`, remoteName(ref), name]) {
    const commit = await resolveCommit(git, candidate).catch(() => undefined);
    if (commit !== undefined) return commit;
  }
  throw new GitCommandError(`fatal: the repository has no ${name}`);
}

async function resolveCommit(git: Git, name: string): Promise<string> {
  const text = await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  const commit = text.trim().split('\n').at(-1) ?? '';
  if (/^[0-9a-f]{40,64}$/.test(commit)) return commit;
  throw new GitCommandError(`fatal: ${name} is no commit`);
}
