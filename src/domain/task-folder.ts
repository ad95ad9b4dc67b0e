import { isRepositoryName } from './image-reference.ts';

/** What lies in our registry of a folder that is a task's context. */
export const folderArtifactType = 'application/vnd.slipway.context.v1';

/** Below this, the repositories of folders. */
export const folderPrefix = 'contexts/';

/** Its tag. */
export const folderTag = 'latest';

/** The repository of a task's folder. A name that no repository can have is written in hexadecimal. */
export function folderRepositoryOf(task: string): string {
  const plain = `${folderPrefix}${task.toLowerCase()}`;
  return isRepositoryName(plain) ? plain : `${folderPrefix}task-${Buffer.from(task.toLowerCase()).toString('hex')}`;
}

/** True for the source location of an artifact in a repository of this name, at whatever host, tag, digest or folder. */
export function isOfRepository(location: string | undefined, repository: string): boolean {
  const [base = ''] = (location ?? '').split('#', 1);
  const path = /^oci:\/\/[^/]+\/(.+)$/i.exec(base)?.[1] ?? '';
  return path.replace(/[:@].*$/, '') === repository;
}
