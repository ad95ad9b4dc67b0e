import type { RegistryRole, RoleAssignment } from '../../domain/registry-access.ts';
import type { RegistryAction } from './actions.ts';
import { matchesPattern } from './pattern.ts';

const reading: readonly RegistryAction[] = ['pull', 'metadata-read', 'catalog'];
const repositoryReading: readonly RegistryAction[] = ['pull', 'metadata-read'];
const repositoryWriting: readonly RegistryAction[] = [...repositoryReading, 'push', 'overwrite', 'metadata-write'];
const everyday: readonly RegistryAction[] = [...repositoryWriting, 'delete', 'catalog', 'manage'];

/** What each role allows. Signing and what is in quarantine are for roles of their own, as in Azure. */
export const actionsOfRole: Readonly<Record<RegistryRole, readonly RegistryAction[]>> = {
  AcrPull: reading,
  AcrPush: [...reading, 'push', 'overwrite'],
  AcrDelete: ['delete'],
  AcrImageSigner: ['sign'],
  AcrQuarantineReader: ['quarantine-read'],
  AcrQuarantineWriter: ['quarantine-read', 'quarantine-write'],
  Reader: reading,
  Contributor: everyday,
  Owner: everyday,
  'Repository Reader': repositoryReading,
  'Repository Writer': repositoryWriting,
  'Repository Contributor': [...repositoryWriting, 'delete'],
  'Catalog Lister': ['catalog'],
};

/** What somebody with these roles may do. A role for some repositories never reaches what concerns the whole registry. */
export function allowRoles(
  assignments: readonly RoleAssignment[],
): (repository: string, action: RegistryAction) => boolean {
  return (repository, action) =>
    assignments.some(
      ({ role, repositories }) => actionsOfRole[role].includes(action) && matchesPattern(repositories, repository),
    );
}
