import type { TaskImages } from '../domain/base-image.ts';
import type { Argument, CustomCredential } from '../domain/run-request.ts';
import type { SourceTrigger, Task, TaskSecrets } from '../domain/task.ts';
import { describeBases } from '../patch/learn/describe-bases.ts';
import { describeWatch, type Watch } from '../trigger/describe-watch.ts';
import { resourceId } from './documents.ts';
import type { AppConfig } from './options.ts';
import { describeBaseDependencies, noticingOf } from './task-bases-document.ts';

/** The URL that forges send a task's deliveries to. */
export function webhookUrlOf(config: Pick<AppConfig, 'url'>, task: Pick<Task, 'name'>): string {
  return `${config.url}/hooks/git/${task.name}`;
}

function describeArguments(list: readonly Argument[], secrets: TaskSecrets | undefined): readonly object[] {
  return list.map(({ name, value, isSecret }) => {
    if (!isSecret) return { name, value, isSecret };
    const real = secrets?.arguments[name];
    return { name, isSecret, ...(real !== undefined && { value: real }) };
  });
}

function describeStep(task: Task, { secrets, images }: TaskDocumentOptions): object {
  const { hasContextToken: _, ...step } = task.step;
  const token = secrets?.context;
  const bases = images === undefined ? [] : describeBaseDependencies(images);
  return {
    ...step,
    ...('arguments' in step && { arguments: describeArguments(step.arguments, secrets) }),
    ...('values' in step && { values: describeArguments(step.values, secrets) }),
    ...(token !== undefined && { contextAccessToken: token }),
    ...(bases.length > 0 && { baseImageDependencies: bases }),
  };
}

function describeSource({ sourceRepository, ...rest }: SourceTrigger, secrets: TaskSecrets | undefined): object {
  const { tokenType, ...repository } = sourceRepository;
  const token = secrets?.sources[rest.name];
  const auth = token === undefined ? {} : { sourceControlAuthProperties: { tokenType: tokenType ?? 'PAT', token } };
  return { ...rest, sourceRepository: { ...repository, ...auth } };
}

/** Azure shows null where a registry's credential is. */
function describeCredential(host: string, one: CustomCredential, secrets: TaskSecrets | undefined): object | null {
  if (secrets === undefined) return null;
  const { vaulted = [], clientId } = one;
  const typeOf = (part: 'userName' | 'password'): string => (vaulted.includes(part) ? 'Vaultsecret' : 'Opaque');
  return {
    userName: { type: typeOf('userName'), value: one.userName },
    password: { type: typeOf('password'), value: secrets.registries[host] ?? one.password },
    ...(vaulted.length > 0 && { identity: clientId ?? 'system' }),
  };
}

function describeCredentials({ credentials }: Task, secrets: TaskSecrets | undefined): object {
  const all = Object.entries(credentials.customRegistries);
  const shown = all.map(([host, one]) => [host, describeCredential(host, one, secrets)]);
  return {
    sourceRegistry: credentials.sourceRegistry,
    ...(all.length > 0 && { customRegistries: Object.fromEntries(shown) as object }),
  };
}

function describeWebhook(config: AppConfig, task: Task, secrets: TaskSecrets | undefined): object {
  if (task.trigger.sourceTriggers.length === 0) return {};
  return { webhook: { url: webhookUrlOf(config, task), ...(secrets && { secrets: secrets.webhook }) } };
}

function describeTrigger({ trigger }: Task, secrets: TaskSecrets | undefined): object {
  return { ...trigger, sourceTriggers: trigger.sourceTriggers.map((one) => describeSource(one, secrets)) };
}

function describeSettings(task: Task): object {
  return {
    status: task.status,
    platform: task.platform,
    agentConfiguration: task.agentConfiguration,
    ...(task.agentPoolName !== undefined && { agentPoolName: task.agentPoolName }),
    timeout: task.timeout,
    ...(task.logTemplate !== undefined && { logTemplate: task.logTemplate }),
    isSystemTask: task.isSystemTask,
    whenSuperseded: task.whenSuperseded,
    ...(task.maxConcurrentRuns !== undefined && { maxConcurrentRuns: task.maxConcurrentRuns }),
  };
}

export interface TaskDocumentOptions {
  /** Given: they are shown. */
  readonly secrets?: TaskSecrets;
  /** Given, in milliseconds since the epoch: what the task watches is told as of then. */
  readonly now?: number;
  /** What is known of the images that it makes. */
  readonly images?: TaskImages | undefined;
}

function describeAllWatched(
  config: AppConfig,
  task: Task,
  now: number,
  images: TaskImages | undefined,
): readonly Watch[] {
  const webhookUrl = webhookUrlOf(config, task);
  return [...describeWatch(task, { webhookUrl, now }), ...describeBases(task, images, noticingOf(config))];
}

/** A task's document (azure-api.md §6.4), without its secrets unless they are handed in. Absent members are left out. */
export function taskDocument(config: AppConfig, task: Task, options: TaskDocumentOptions = {}): object {
  const { secrets, now, images } = options;
  return {
    id: resourceId(config.name, 'tasks', task.name),
    name: task.name,
    type: 'Microsoft.ContainerRegistry/registries/tasks',
    location: task.location,
    tags: task.tags,
    ...(task.identity !== undefined && { identity: task.identity }),
    systemData: { createdAt: task.createTime, lastModifiedAt: task.lastUpdatedTime },
    properties: {
      provisioningState: 'Succeeded',
      creationDate: task.createTime,
      ...describeSettings(task),
      step: describeStep(task, options),
      trigger: describeTrigger(task, secrets),
      credentials: describeCredentials(task, secrets),
      ...describeWebhook(config, task, secrets),
      ...(now !== undefined && { watch: describeAllWatched(config, task, now, images) }),
    },
  };
}
