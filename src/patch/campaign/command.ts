import {
  isOver,
  type Campaign,
  type CampaignNode,
  type CampaignStatus,
  type NodeState,
} from '../../domain/campaign.ts';
import { fail, type FailureError } from '../../domain/failure.ts';
import { breakerReason } from '../impact/impact.ts';
import type { CampaignAction, Input, Turn } from './decision.ts';
import type { CampaignDraft } from './draft.ts';
import { orderAgain } from './merge.ts';
import { takeInOutdated } from './newcomers.ts';
import { movedImages, type NodeKey } from './node.ts';
import { standingOn } from './resolve.ts';
import { returnsOf } from './tag-returns.ts';

type Command = Extract<Input, { kind: 'command' }>;
type Act = (turn: Turn, draft: CampaignDraft, command: Command) => void;

function refuse({ id, action }: Command, because: string): FailureError {
  return fail('conflict', `campaign ${id} cannot be ${pastOf[action]}: ${because}`);
}

const pastOf: Readonly<Record<CampaignAction, string>> = {
  pause: 'paused',
  resume: 'resumed',
  cancel: 'canceled',
  retry: 'retried',
  rollback: 'rolled back',
};

/** A campaign in another status, without what the old one brought with it. */
function inStatus(campaign: Campaign, status: CampaignStatus): Campaign {
  const { because: _because, finishTime: _finishTime, cancelRequested: _cancelRequested, ...rest } = campaign;
  return { ...rest, status };
}

const pause: Act = (_turn, draft, command) => {
  const { status, cancelRequested } = draft.campaign;
  if (status === 'Paused') return;
  if ((status !== 'Running' && status !== 'Queued') || cancelRequested)
    throw refuse(command, cancelRequested ? 'it is being canceled' : `it is ${status}`);
  draft.change({ status: 'Paused', because: `paused by ${command.by}` });
};

const unfinished: ReadonlySet<NodeState['kind']> = new Set(['failed', 'blocked', 'canceled']);
const leftAlone: ReadonlySet<NodeState['kind']> = new Set(['skipped', 'unneeded']);

/** True for a node that was left alone because its runs keep failing. */
function isBroken(turn: Turn, { campaign }: CampaignDraft, { task, state }: CampaignNode): boolean {
  const record = turn.draft.graph.task(task)?.record;
  return state.kind === 'skipped' && !!record && breakerReason(record, campaign.policy.breakerAfter) !== undefined;
}

/** True for a node that is to be run again: it has no end, or a bad one. What is to wait after a run that failed need not when people ask. */
function isUnfinished(turn: Turn, draft: CampaignDraft, node: CampaignNode): boolean {
  const { state } = node;
  const isDelayed = state.kind === 'waiting' && state.notBefore !== undefined;
  return isDelayed || unfinished.has(state.kind) || isBroken(turn, draft, node);
}

/** The nodes that wait again: what failed, what was not reached, what is lost, and what was left alone because of one of them. */
function findRepeated(turn: Turn, draft: CampaignDraft, lost: ReadonlySet<NodeKey>): ReadonlySet<NodeKey> {
  const repeated = new Set(lost);
  for (const [key, node] of draft.nodes) {
    if (isUnfinished(turn, draft, node)) repeated.add(key);
  }
  const standing = standingOn(draft.nodes);
  // It grows on the way.
  for (const key of repeated) {
    for (const one of standing.get(key) ?? []) {
      const kind = draft.nodes.get(one)?.state.kind;
      if (kind !== undefined && leftAlone.has(kind)) repeated.add(one);
    }
  }
  return repeated;
}

const repeat: Act = (turn, draft, command) => {
  const { status, tagReturns } = draft.campaign;
  if (tagReturns) throw refuse(command, 'its tags are being pointed back');
  const repeated = findRepeated(turn, draft, command.lost ?? new Set());
  if (repeated.size === 0 && status !== 'Held') throw refuse(command, 'nothing in it failed');
  for (const key of repeated) draft.setState(key, { kind: 'waiting' });
  if (repeated.size > 0) orderAgain(turn.draft.graph, draft, repeated);
  draft.set(inStatus(draft.campaign, isOver(status) ? 'Queued' : 'Running'));
  takeInOutdated(turn, draft, command.standing ?? new Set());
};

const retry: Act = (turn, draft, command) => {
  const { status, cancelRequested } = draft.campaign;
  if (cancelRequested && !isOver(status)) throw refuse(command, 'it is being canceled');
  if (status !== 'Held' && !isOver(status)) throw refuse(command, `it is ${status}, and has not come to its end`);
  repeat(turn, draft, command);
};

const resume: Act = (turn, draft, command) => {
  const { status, waitsFor, cancelRequested } = draft.campaign;
  if (cancelRequested || isOver(status)) throw refuse(command, cancelRequested ? 'it is canceled' : 'it is over');
  if (status === 'Held') repeat(turn, draft, command);
  else if (status === 'Paused') draft.set(inStatus(draft.campaign, waitsFor.length > 0 ? 'Queued' : 'Running'));
};

function stop(turn: Turn, draft: CampaignDraft, by: string, rollsBack: boolean): void {
  draft.change({ cancelRequested: { at: turn.draft.now, by, ...(rollsBack && { rollsBack }) } });
  for (const [key, { state }] of draft.nodes) {
    if (state.kind === 'waiting') draft.setState(key, { kind: 'canceled' });
    if (state.kind === 'running' && state.runId !== undefined) turn.cancels.push({ runId: state.runId, by });
  }
}

const cancel: Act = (turn, draft, command) => {
  const { status, cancelRequested } = draft.campaign;
  if (isOver(status)) throw refuse(command, 'it is over');
  if (!cancelRequested) stop(turn, draft, command.by, false);
};

/** Points the tags that a node has moved back; its images are as if it had not been run. */
export function rollBackNode(draft: CampaignDraft, key: NodeKey): void {
  const node = draft.nodes.get(key);
  if (node === undefined || node.state.kind === 'running' || movedImages(node).length === 0) return;
  draft.addReturns(returnsOf(node));
  draft.setNode({ ...node, after: [], state: node.state.kind === 'rebuilt' ? { kind: 'canceled' } : node.state });
}

const rollback: Act = (turn, draft, command) => {
  const isAnyMoved = [...draft.nodes.values()].some((node) => movedImages(node).length > 0);
  if (isOver(draft.campaign.status)) {
    if (!isAnyMoved) throw refuse(command, 'it has moved no tag');
    draft.set(inStatus(draft.campaign, 'Running'));
  }
  stop(turn, draft, command.by, true);
  for (const key of [...draft.nodes.keys()]) rollBackNode(draft, key);
};

const acts: Readonly<Record<CampaignAction, Act>> = { pause, resume, cancel, retry, rollback };

/** Does what people ask of a campaign. @throws `not-found`, or `conflict` when the campaign is not in a state for it. */
export function obey(turn: Turn, command: Command): void {
  const { id, action, over } = command;
  const draft = turn.draft.get(id) ?? (over && turn.draft.add(over, false));
  if (draft === undefined) throw fail('not-found', `there is no campaign ${id}`);
  acts[action](turn, draft, command);
}
