import type { CustomCredential, RegistryCredential } from '../../domain/run-request.ts';
import type { SecretSource } from '../../domain/step.ts';
import type { Task, TaskName, TaskSecrets } from '../../domain/task.ts';
import type { TaskStore } from '../../store/ports.ts';
import { registryOf } from './intervals.ts';

export interface TaskCredentialsOptions {
  readonly tasks: Pick<TaskStore, 'getMany'>;
  /** Opens the sealed secrets of a task. */
  readonly openSecrets: (sealed: string | undefined) => TaskSecrets;
  /** The value of a secret that lies in a vault; left out: what lies in one is passed over. */
  readonly resolve?: (source: SecretSource) => Promise<string>;
  /** Told of a credential that cannot be used. */
  readonly onUnusable: (task: TaskName, registry: string, error: unknown) => void;
}

/** So many tasks are looked through, and so many different credentials tried. */
const mostTasks = 50;
const mostCredentials = 3;

/** In a task's credentials, Docker Hub may be a whole URL. */
function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
}

function credentialOf(
  task: Task,
  registry: string,
  open: TaskCredentialsOptions['openSecrets'],
): CustomCredential | undefined {
  const [host, found] =
    Object.entries(task.credentials.customRegistries).find(([name]) => registryOf(hostOf(name)) === registry) ?? [];
  if (host === undefined || found === undefined) return undefined;
  return { ...found, password: open(task.sealedSecrets).registries[host] ?? found.password };
}

async function fillIn(
  given: CustomCredential,
  resolve: TaskCredentialsOptions['resolve'],
): Promise<RegistryCredential | undefined> {
  const { userName, password, vaulted = [], clientId } = given;
  if (vaulted.length === 0) return { userName, password };
  if (resolve === undefined) return undefined;
  const read = async (part: keyof RegistryCredential): Promise<string> => {
    if (!vaulted.includes(part)) return { userName, password }[part];
    return resolve({ id: part, keyvault: given[part], ...(clientId !== undefined && { clientId }) });
  };
  return { userName: await read('userName'), password: await read('password') };
}

/**
 * Makes the function that finds with which credentials a registry may be asked for tasks: those that the tasks themselves bring for it, each
 * once. One that cannot be opened is passed over. Rejects with `redis-unavailable`.
 */
export function createTaskCredentials(
  options: TaskCredentialsOptions,
): (registry: string, tasks: readonly TaskName[]) => Promise<readonly RegistryCredential[]> {
  return async (registry, names) => {
    const found = new Map<string, RegistryCredential>();
    for (const task of await options.tasks.getMany(names.slice(0, mostTasks))) {
      if (task === undefined || found.size === mostCredentials) continue;
      try {
        const given = credentialOf(task, registry, options.openSecrets);
        const credential = given && (await fillIn(given, options.resolve));
        if (credential) found.set(`${credential.userName}\n${credential.password}`, credential);
      } catch (error) {
        options.onUnusable(task.name, registry, error);
      }
    }
    return [...found.values()];
  };
}
