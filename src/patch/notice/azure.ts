import { hear, type Heard, type Notice, type NoticeReader } from './heard.ts';
import { memberOf, textOf } from './members.ts';

/** The same for one event, which is also the `data` of what Azure's Event Grid sends of a registry. */
export function readAzureEvent(event: unknown, registry: Notice['registry']): Heard {
  const action = textOf(event, 'action') ?? '';
  if (action === 'chart_push') return { because: 'a chart is no base image' };
  if (action !== 'push') return { because: `"${action.slice(0, 50)}" is no push` };
  return hear({
    registry: registry ?? textOf(event, 'request', 'host'),
    repository: textOf(event, 'target', 'repository'),
    tag: textOf(event, 'target', 'tag'),
    digest: textOf(event, 'target', 'digest'),
    by: textOf(event, 'actor', 'name'),
  });
}

/** Webhooks of Azure Container Registry: one event, without an envelope; what may authenticate it are custom headers. */
export const azure: NoticeReader = {
  name: 'azure',
  recognises: ({ body }) =>
    memberOf(body, 'action') !== undefined &&
    (memberOf(body, 'target') !== undefined || textOf(body, 'action') === 'ping') &&
    memberOf(body, 'events') === undefined,
  read: ({ body, registry }) => [readAzureEvent(body, registry)],
};
