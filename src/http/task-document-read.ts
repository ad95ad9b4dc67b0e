import { fail } from '../domain/failure.ts';
import { maskedValue, type RunCredentials } from '../domain/run-request.ts';
import type { Task, TaskName, TaskSecrets } from '../domain/task.ts';
import { requestOfTask } from '../trigger/task-request.ts';
import type { AppOptions } from './options.ts';
import { createPlanCheck } from './plan-check.ts';
import { readBase, type RequestBody } from './request-parts.ts';
import { createBodyCheck } from './schema.ts';
import { readStep } from './task-document-step.ts';
import { readTrigger, type TriggerBody } from './task-document-trigger.ts';
import { within } from './within.ts';

interface IdentityBody {
  readonly type?: string;
  readonly userAssignedIdentities?: Readonly<Record<string, unknown>>;
}

/** The body of PUT tasks/{name} as `schemas/api/task-body.schema.json` has it. */
interface TaskBody {
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly identity?: IdentityBody;
  readonly properties: Omit<RequestBody, 'isArchiveEnabled' | 'sourceLocation'> &
    Partial<Pick<Task, 'status' | 'logTemplate' | 'isSystemTask' | 'whenSuperseded' | 'maxConcurrentRuns'>> & {
      readonly step: object;
      readonly trigger?: TriggerBody;
    };
}

/** All of a task that a client has a say in. */
type TaskFields = Omit<Task, 'name' | 'version' | 'createTime' | 'lastUpdatedTime' | 'sealedSecrets'>;

/** A task with its secrets apart, and masked in it. */
export interface OpenTask {
  readonly task: Task;
  readonly secrets: TaskSecrets;
}

export type ReadTaskOptions = Pick<AppOptions, 'checkLocation' | 'clock'> & {
  /** Of the embedded registry. */
  readonly registryHost: string;
};

/** Reads a whole task, which may take the place of one `before`. Throws `invalid-request` naming the field. */
export type ReadTaskBody = (body: unknown, name: TaskName, before: OpenTask | undefined) => OpenTask;

const noSecrets: TaskSecrets = { arguments: {}, registries: {}, sources: {}, webhook: [] };

function splitCredentials({ sourceRegistry, customRegistries }: RunCredentials): {
  credentials: RunCredentials;
  registries: TaskSecrets['registries'];
} {
  const all = Object.entries(customRegistries);
  return {
    credentials: {
      sourceRegistry,
      customRegistries: Object.fromEntries(all.map(([host, one]) => [host, { ...one, password: maskedValue }])),
    },
    registries: Object.fromEntries(all.map(([host, { password }]) => [host, password])),
  };
}

/** Who it is in a directory (`principalId`, `tenantId`) is not for a client to say. */
function readIdentity({ type, userAssignedIdentities }: IdentityBody): Readonly<Record<string, unknown>> {
  return {
    ...(type !== undefined && { type }),
    ...(userAssignedIdentities !== undefined && { userAssignedIdentities }),
  };
}

function readOwn({ properties }: TaskBody): Pick<Task, 'whenSuperseded' | 'maxConcurrentRuns' | 'isSystemTask'> {
  const { isSystemTask = false, whenSuperseded = 'queue', maxConcurrentRuns } = properties;
  if (isSystemTask) {
    const field = 'properties.isSystemTask';
    throw fail('invalid-request', `${field}: system tasks are not supported by this server`, {
      field,
      hint: 'leave it out',
    });
  }
  return { isSystemTask, whenSuperseded, ...(maxConcurrentRuns !== undefined && { maxConcurrentRuns }) };
}

interface ReadFields {
  readonly fields: TaskFields;
  readonly secrets: TaskSecrets;
}

function readFields(body: TaskBody, kept: TaskSecrets, options: ReadTaskOptions): ReadFields {
  const { properties, tags = {}, location = 'local', identity } = body;
  const base = within('properties', () => readBase(properties));
  const { step, secrets } = within('properties.step', () =>
    readStep(properties.step, { checkLocation: options.checkLocation, kept }),
  );
  const { trigger, sources } = within('properties.trigger', () =>
    readTrigger(properties.trigger ?? {}, { checkLocation: options.checkLocation, now: options.clock.now() }),
  );
  const { credentials, registries } = splitCredentials(base.credentials);
  const { agentPoolName, timeout, platform, agentConfiguration } = base;
  return {
    fields: {
      status: properties.status ?? 'Enabled',
      tags,
      location,
      ...(identity !== undefined && { identity: readIdentity(identity) }),
      platform,
      agentConfiguration,
      ...(agentPoolName !== undefined && { agentPoolName }),
      timeout,
      step,
      trigger,
      credentials,
      ...(properties.logTemplate !== undefined && { logTemplate: properties.logTemplate }),
      ...readOwn(body),
    },
    secrets: {
      ...{ ...secrets, registries, sources, webhook: kept.webhook },
      ...(kept.updateToken !== undefined && { updateToken: kept.updateToken }),
    },
  };
}

/** Makes the reader of bodies of PUT tasks/{name}. */
export function createTaskReader(options: ReadTaskOptions): ReadTaskBody {
  const check = createBodyCheck('api/task-body');
  const checkPlan = createPlanCheck(options.registryHost);
  return (given, name, before) => {
    const { fields, secrets } = readFields(check(given ?? {}) as TaskBody, before?.secrets ?? noSecrets, options);
    const now = new Date(options.clock.now()).toISOString();
    const { version = 0, createTime = now } = before?.task ?? {};
    const task = { ...fields, name: before?.task.name ?? name, version, createTime, lastUpdatedTime: now };
    within('properties.step', () => {
      checkPlan(requestOfTask(task, secrets).request);
    });
    return { task, secrets };
  };
}
