import type { BaseUpdate } from '../domain/base-image.ts';
import type { Campaign, NodeState } from '../domain/campaign.ts';
import type { CampaignReport, CampaignTask } from '../patch/desk/ports.ts';
import { resourceId } from './documents.ts';
import { imageEntry } from './image-entry.ts';

const campaignType = 'Microsoft.ContainerRegistry/registries/campaigns';

function describeUpdate({ id, image, ...rest }: BaseUpdate): object {
  return { id, image: imageEntry(image), ...rest };
}

function describeCampaign({ id: _id, updates, tagReturns: _returns, ...rest }: Campaign): object {
  return { ...rest, updates: updates.map(describeUpdate) };
}

function describeState(state: NodeState): object {
  switch (state.kind) {
    case 'blocked':
      return { state: state.kind, blockedBy: state.by };
    case 'failed':
    case 'skipped':
      return { state: state.kind, because: state.because };
    case 'waiting':
      return { state: state.kind, ...(state.notBefore !== undefined && { notBefore: state.notBefore }) };
    default:
      return { state: state.kind };
  }
}

function describeRun({ state, run }: CampaignTask): object {
  const runId = 'runId' in state ? state.runId : undefined;
  return {
    ...(runId !== undefined && { runId }),
    ...(run !== undefined && { runStatus: run.status }),
    ...(run?.startTime !== undefined && { startTime: run.startTime }),
    ...(run?.finishTime !== undefined && { finishTime: run.finishTime }),
  };
}

function describeTask(one: CampaignTask): object {
  const { task, level, wave, needs, onlyReads, tries, durationMs } = one;
  return {
    ...{ task, level, wave, needs },
    ...(onlyReads !== undefined && { onlyReads }),
    ...describeState(one.state),
    ...describeRun(one),
    tries,
    ...(durationMs !== undefined && { expectedMs: durationMs }),
    bases: one.bases.map(imageEntry),
    before: one.before.map(imageEntry),
    after: one.after.map(imageEntry),
  };
}

function document(registryName: string, { id }: Campaign, properties: object): object {
  return { id: resourceId(registryName, 'campaigns', id), name: id, type: campaignType, properties };
}

/** A campaign without its tasks, as in lists; `schemas/api/campaign.schema.json` is its contract. Absent members are left out. */
export function campaignDocument(registryName: string, campaign: Campaign): object {
  return document(registryName, campaign, describeCampaign(campaign));
}

/** A campaign with its tasks by level; `estimate` is there until it is over. Times in milliseconds. */
export function campaignReportDocument(registryName: string, { campaign, tasks, remainingMs }: CampaignReport): object {
  const estimate = remainingMs === undefined ? {} : { estimate: { remainingMs } };
  return document(registryName, campaign, {
    ...describeCampaign(campaign),
    ...estimate,
    tasks: tasks.map(describeTask),
  });
}
