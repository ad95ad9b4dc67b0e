import type { RequestSecrets } from '../domain/request-secrets.ts';
import type { TaskSecrets } from '../domain/task.ts';
import { seal, unseal } from '../secret/seal.ts';

const purpose = 'run-request';

/** Encrypts a request's secrets for a run's record, under the installation's key. */
export function sealRequestSecrets(key: Buffer, secrets: RequestSecrets): string {
  return seal(key, secrets, purpose);
}

/** Opens what {@link sealRequestSecrets} made. Throws `internal` when the key is another one. */
export function openRequestSecrets(key: Buffer, sealed: string): RequestSecrets {
  return unseal(key, sealed, purpose) as RequestSecrets;
}

const taskPurpose = 'task';

/** Encrypts a task's secrets for its record. */
export function sealTaskSecrets(key: Buffer, secrets: TaskSecrets): string {
  return seal(key, secrets, taskPurpose);
}

const noTaskSecrets: TaskSecrets = { arguments: {}, registries: {}, sources: {}, webhook: [] };

/** Opens what {@link sealTaskSecrets} made; a task that keeps none has empty ones. Throws `internal` when the key is another one. */
export function openTaskSecrets(key: Buffer, sealed: string | undefined): TaskSecrets {
  return sealed === undefined ? noTaskSecrets : (unseal(key, sealed, taskPurpose) as TaskSecrets);
}
