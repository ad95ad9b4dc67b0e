/** The revision of a context (see `Context.revision`) of which `state` (a commit, a digest) and the folder in it tell the files. */
export function revisionOf(state: string, folder: string | undefined): string {
  return folder === undefined ? state : `${state}#:${folder}`;
}
