import { referenceKeyOf } from '../../domain/base-image.ts';
import type { Campaign, CampaignNode, TagReturn } from '../../domain/campaign.ts';
import type { Decision, Input, Turn } from './decision.ts';
import { digestBefore, movedImages } from './node.ts';
import { findEntry } from './returned-records.ts';

/** How the tags that a node has moved are pointed back, as far as it is known what they stood for. */
export function returnsOf(node: CampaignNode): readonly TagReturn[] {
  const { task, standing = [] } = node;
  return movedImages(node).flatMap((moved) => {
    const digest = digestBefore(node, moved);
    if (digest === undefined) return [];
    const image = { ...moved, digest };
    const entry = findEntry(standing, image);
    return [{ image, from: moved.digest, task, ...(entry && { standing: entry }) }];
  });
}

const nameOf = ({ image, from }: TagReturn): string => `${referenceKeyOf(image) ?? ''}@${image.digest}<${from}`;

/** Notes that tags were pointed back, or could not be. */
export function noteReturns(turn: Turn, { campaign, done }: Extract<Input, { kind: 'returned' }>): void {
  const draft = turn.draft.get(campaign);
  if (draft?.campaign.tagReturns === undefined) return;
  const names = new Set(done.map(nameOf));
  const { tagReturns, ...rest } = draft.campaign;
  const left = tagReturns.filter((one) => !names.has(nameOf(one)));
  draft.set({ ...rest, ...(left.length > 0 && { tagReturns: left }) });
}

/** The tags that campaigns have to point back. */
export function listReturns(campaigns: Iterable<Campaign>): Decision['returns'] {
  return [...campaigns].flatMap(({ id, tagReturns }) => (tagReturns ? [{ campaign: id, tags: tagReturns }] : []));
}
