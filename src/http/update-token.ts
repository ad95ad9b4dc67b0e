import { FailureError } from '../domain/failure.ts';
import { repositoryKeysOf } from '../trigger/repository-keys.ts';
import { sealTaskSecrets } from '../trigger/sealed-secrets.ts';
import type { AppOptions } from './options.ts';
import { openTask } from './routes/task-lookup.ts';

const maxTries = 5;

/**
 * Keeps the `updateTriggerToken` of a run with its task, sealed, in the place of an earlier one: the endpoint of the base-image trigger is
 * told by it (acr-tasks.md on `updateTriggerEndpoint`). Nothing that is shown of the task changes. A task that is gone by then keeps none.
 * @throws `conflict` when others change the task all the time, `redis-unavailable`.
 */
export async function keepUpdateToken(
  { key, store }: Pick<AppOptions, 'key' | 'store'>,
  name: string,
  token: string,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const found = await store.tasks.get(name);
    if (found === undefined) return;
    const { task, secrets } = openTask(key, found);
    if (secrets.updateToken === token) return;
    const sealedSecrets = sealTaskSecrets(key, { ...secrets, updateToken: token });
    try {
      await store.tasks.put({ ...task, sealedSecrets }, task.version, repositoryKeysOf(task));
      return;
    } catch (error) {
      const isConflict = error instanceof FailureError && error.failure.reason === 'conflict';
      if (!isConflict || tries === maxTries) throw error;
    }
  }
}
