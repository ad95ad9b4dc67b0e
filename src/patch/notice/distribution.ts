import { hear, type Heard, type Notice, type NoticeReader } from './heard.ts';
import { listOf, memberOf, textOf } from './members.ts';

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
}

/** One event of a Distribution registry: pushes of blobs have no tag. */
export function readDistributionEvent(event: unknown, registry: Notice['registry']): Heard {
  const action = textOf(event, 'action') ?? '';
  if (action !== 'push') return { because: `"${action.slice(0, 50)}" is no push` };
  return hear({
    registry: registry ?? textOf(event, 'request', 'host') ?? hostOf(textOf(event, 'target', 'url')),
    repository: textOf(event, 'target', 'repository'),
    tag: textOf(event, 'target', 'tag'),
    digest: textOf(event, 'target', 'digest'),
    by: textOf(event, 'actor', 'name'),
  });
}

/** Notifications of the Distribution registry (its docs, "Work with notifications"): an envelope of events, with headers of one's own. */
export const distribution: NoticeReader = {
  name: 'distribution',
  recognises: ({ body }) => Array.isArray(memberOf(body, 'events')),
  read: ({ body, registry }) => listOf(body, 'events').map((event) => readDistributionEvent(event, registry)),
};
