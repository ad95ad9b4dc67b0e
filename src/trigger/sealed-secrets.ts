import type { RequestSecrets } from '../domain/request-secrets.ts';
import type { TaskSecrets } from '../domain/task.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import { seal, unseal } from '../secret/seal.ts';

/** What a request's secrets are sealed for. */
export const requestPurpose = 'run-request';

/** Encrypts a request's secrets for a run's record, under the installation's key. */
export function sealRequestSecrets(key: InstallationKey, secrets: RequestSecrets): string {
  return seal(key, secrets, requestPurpose);
}

/** Opens what {@link sealRequestSecrets} made. Throws `internal` when the key is another one. */
export function openRequestSecrets(key: InstallationKey, sealed: string): RequestSecrets {
  return unseal(key, sealed, requestPurpose) as RequestSecrets;
}

/** What a task's secrets are sealed for. */
export const taskPurpose = 'task';

/** Encrypts a task's secrets for its record. */
export function sealTaskSecrets(key: InstallationKey, secrets: TaskSecrets): string {
  return seal(key, secrets, taskPurpose);
}

const noTaskSecrets: TaskSecrets = { arguments: {}, registries: {}, sources: {}, webhook: [] };

/** Opens what {@link sealTaskSecrets} made; a task that keeps none has empty ones. Throws `internal` when the key is another one. */
export function openTaskSecrets(key: InstallationKey, sealed: string | undefined): TaskSecrets {
  return sealed === undefined ? noTaskSecrets : (unseal(key, sealed, taskPurpose) as TaskSecrets);
}
