import type { Clock } from '../domain/clock.ts';
import type { TaskName } from '../domain/task.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import type { TaskStore } from '../store/ports.ts';
import { openTaskSecrets } from './sealed-secrets.ts';

export interface WebhookSecretsDeps {
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly key: InstallationKey;
  readonly clock: Clock;
}

/** What a webhook's deliveries are checked with. */
export interface WebhookSecrets {
  readonly task: TaskName;
  readonly secrets: readonly string[];
}

/** A busy repository's webhook is not read and unsealed for each delivery; a secret that was revoked is good for so long at most. */
const keptMs = 1000;
const mostKept = 1000;

/** The webhook secrets of tasks; `isFresh` says that they were read just now. Undefined for an unknown task. */
export function createWebhookSecrets({ tasks, key, clock }: WebhookSecretsDeps) {
  const kept = new Map<string, { readonly found: WebhookSecrets; readonly until: number }>();
  const read = async (name: string): Promise<WebhookSecrets | undefined> => {
    const task = await tasks.get(name);
    kept.delete(name.toLowerCase());
    if (task === undefined) return undefined;
    const found = { task: task.name, secrets: openTaskSecrets(key, task.sealedSecrets).webhook };
    if (kept.size >= mostKept) kept.clear();
    kept.set(name.toLowerCase(), { found, until: clock.now() + keptMs });
    return found;
  };
  /** Those that were read a moment ago, if any. */
  const recall = (name: string): WebhookSecrets | undefined => {
    const entry = kept.get(name.toLowerCase());
    return entry !== undefined && entry.until > clock.now() ? entry.found : undefined;
  };
  return { read, recall };
}
