import { describeDependencies } from '../domain/dependency-document.ts';
import { isFinal, type Run } from '../domain/run.ts';
import { resumedFrom } from '../domain/resumed-from.ts';
import { repeatedBy } from '../trigger/rerun.ts';
import type { AppConfig } from './options.ts';

const registryType = 'Microsoft.ContainerRegistry/registries';
const subscription = '00000000-0000-0000-0000-000000000000';

/** The resource id of the registry, in the shape that Azure's clients take apart. */
export function registryId(name: string): string {
  return `/subscriptions/${subscription}/resourceGroups/slipway/providers/${registryType}/${name}`;
}

/** The resource id of something in the registry: `…/registries/slipway/runs/ca1`. */
export function resourceId(
  registryName: string,
  kind:
    | 'trustPolicies'
    | 'scanPolicies'
    | 'runs'
    | 'tasks'
    | 'webhookDeliveries'
    | 'webhooks'
    | 'campaigns'
    | 'scopeMaps'
    | 'tokens'
    | 'servicePrincipals'
    | 'imports',
  id: string,
): string {
  return `${registryId(registryName)}/${kind}/${id}`;
}

/** The registry's document (azure-api.md §6.1). */
export function registryDocument(config: AppConfig): object {
  const disabled = { status: 'disabled' };
  const enabled = { status: 'enabled' };
  return {
    id: registryId(config.name),
    name: config.name,
    type: registryType,
    location: 'local',
    tags: {},
    sku: { name: 'Premium', tier: 'Premium' },
    properties: {
      loginServer: config.registryHost,
      ...(config.creationDate !== undefined && { creationDate: config.creationDate }),
      provisioningState: 'Succeeded',
      adminUserEnabled: config.registryAdmin !== false,
      anonymousPullEnabled: config.anonymousPull,
      dataEndpointEnabled: false,
      dataEndpointHostNames: [],
      privateEndpointConnections: [],
      publicNetworkAccess: 'Enabled',
      networkRuleBypassOptions: 'AzureServices',
      zoneRedundancy: 'Disabled',
      encryption: disabled,
      policies: {
        quarantinePolicy: disabled,
        trustPolicy: { type: 'Notary', ...disabled },
        retentionPolicy: { days: 7, ...disabled },
        exportPolicy: enabled,
        azureADAuthenticationAsArmPolicy: enabled,
        softDeletePolicy: { retentionDays: 7, ...disabled },
      },
    },
  };
}

/** Why a queued run has not begun: its place (1 is next) and a sentence. */
export interface Waiting {
  readonly position?: number;
  readonly reason: string;
}

function describeSource(run: Run): object {
  const customRegistries = Object.keys(run.request.credentials.customRegistries);
  return {
    platform: run.request.platform,
    agentConfiguration: run.request.agentConfiguration,
    sourceRegistryAuth: run.request.credentials.sourceRegistry.loginMode,
    ...(customRegistries.length > 0 && { customRegistries }),
    ...(run.request.agentPoolName !== undefined && { agentPoolName: run.request.agentPoolName }),
  };
}

function describeTimes(run: Run): object {
  return {
    lastUpdatedTime: run.lastUpdatedTime,
    createTime: run.createTime,
    ...(run.startTime !== undefined && { startTime: run.startTime }),
    ...(run.finishTime !== undefined && { finishTime: run.finishTime }),
  };
}

/** `tagName` is ours. */
const sourceMembers = [
  'id',
  'eventType',
  'commitId',
  'pullRequestId',
  'repositoryUrl',
  'branchName',
  'tagName',
  'providerType',
] as const;

/** What made the run happen, as Azure tells it. */
function describeTrigger({ cause }: Run): object {
  switch (cause?.kind) {
    case undefined:
    case 'manual':
    case 'scan':
      return {};
    case 'source':
      return { sourceTrigger: Object.fromEntries(sourceMembers.map((name) => [name, cause[name]])) };
    case 'timer':
      return {
        timerTrigger: { timerTriggerName: cause.timerTriggerName, scheduleOccurrence: cause.scheduleOccurrence },
      };
    case 'image-update':
      return { imageUpdateTrigger: { id: cause.id, timestamp: cause.timestamp, images: cause.images } };
  }
}

/** What Azure does not tell of it: who, the campaign, of what run it is a repetition, and whether the code is a stranger's. */
function describeCause({ cause }: Run): object {
  if (cause === undefined) return {};
  const repeated = repeatedBy(cause);
  const own = cause.kind === 'source' ? { trigger: cause.trigger, ref: cause.ref, isTrusted: cause.isTrusted } : {};
  const campaign = cause.kind === 'image-update' ? cause.campaign : undefined;
  return {
    cause: {
      kind: cause.kind,
      ...('by' in cause && { by: cause.by }),
      ...own,
      ...(campaign !== undefined && { campaign }),
      ...(cause.kind === 'scan' && { image: cause.image }),
      ...(repeated !== undefined && { rerunOf: repeated }),
      ...(resumedFrom(cause) !== undefined && { fromFailed: true }),
    },
  };
}

/** What Azure's documents do not have: the steps, what was built on, the attempt, why it waits, that its end was asked for. */
function describeOwn(run: Run, waiting: Waiting | undefined): object {
  const { dependencies = [], outputImages } = run;
  return {
    ...describeCause(run),
    steps: run.steps,
    ...(dependencies.length > 0 && { dependencies: describeDependencies(dependencies, outputImages) }),
    attempt: run.attempt,
    ...(run.worker !== undefined && { worker: run.worker }),
    ...(waiting !== undefined && run.status === 'Queued' && { waiting }),
    ...(run.cancelRequested !== undefined && !isFinal(run.status) && { cancelRequested: run.cancelRequested }),
  };
}

/** A run's document (azure-api.md §6.3). What was asked for is shown no further than Azure shows it. Absent members are left out. */
export function runDocument(registryName: string, run: Run, waiting?: Waiting): object {
  return {
    id: resourceId(registryName, 'runs', run.runId),
    name: run.runId,
    type: `${registryType}/runs`,
    properties: {
      runId: run.runId,
      status: run.status,
      runType: run.runType,
      ...(run.task !== undefined && { task: run.task }),
      ...describeTrigger(run),
      ...describeTimes(run),
      ...(run.outputImages.length > 0 && { outputImages: run.outputImages }),
      ...describeSource(run),
      ...(run.runErrorMessage !== undefined && { runErrorMessage: run.runErrorMessage }),
      provisioningState: 'Succeeded',
      isArchiveEnabled: run.isArchiveEnabled,
      ...describeOwn(run, waiting),
    },
  };
}
