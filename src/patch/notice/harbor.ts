import { hear, type Heard, type Notice, type NoticeReader } from './heard.ts';
import { listOf, memberOf, textOf } from './members.ts';

/** The images of what Harbor calls event data: it names the registry only in the addresses of its resources. */
export function readHarborData(data: unknown, by: string | undefined, registry: Notice['registry']): readonly Heard[] {
  const repository = textOf(data, 'repository', 'repo_full_name');
  return listOf(data, 'resources').map((resource) =>
    hear({
      registry: registry ?? textOf(resource, 'resource_url')?.split('/', 1)[0],
      repository,
      tag: textOf(resource, 'tag'),
      digest: textOf(resource, 'digest'),
      by,
    }),
  );
}

/** Webhooks of Harbor in its own format, authenticated by the `Authorization` that was entered with them. */
export const harbor: NoticeReader = {
  name: 'harbor',
  recognises: ({ body }) =>
    textOf(body, 'type') !== undefined && memberOf(body, 'event_data') !== undefined && !memberOf(body, 'specversion'),
  read: ({ body, registry }) => {
    const type = textOf(body, 'type') ?? '';
    if (type !== 'PUSH_ARTIFACT') return [{ because: `"${type.slice(0, 50)}" is no push` }];
    return readHarborData(memberOf(body, 'event_data'), textOf(body, 'operator'), registry);
  },
};
