import type { ChangedPaths } from './event.ts';

/** What a commit of a push says of its files, in GitHub's words, which GitLab and Gitea use too. */
export interface CommitFiles {
  readonly added?: readonly string[] | null;
  readonly modified?: readonly string[] | null;
  readonly removed?: readonly string[] | null;
}

/** Enough for any change that a person reviews; a larger one counts as touching everything. */
const maxPaths = 10_000;
/** Where GitHub stops listing the files of a commit (its docs: webhook payload `push`). */
const maxFilesOfCommit = 3000;

/** The paths that all listed commits touch; incomplete when `isWhole` is false, or when a list was cut. */
export function collectPaths(commits: readonly CommitFiles[], isWhole: boolean): ChangedPaths {
  const paths = new Set<string>();
  let isComplete = isWhole && commits.length > 0;
  for (const { added, modified, removed } of commits) {
    const files = [added, modified, removed].flatMap((list) => list ?? []);
    // A commit without any file is a merge or an empty commit, or comes from a forge that lists none: nothing to rely on.
    if (files.length === 0 || files.length >= maxFilesOfCommit) isComplete = false;
    for (const file of files) {
      if (paths.size < maxPaths) paths.add(file);
      else isComplete = false;
    }
  }
  return { paths: [...paths], isComplete };
}
