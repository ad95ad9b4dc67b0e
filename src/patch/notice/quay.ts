import { hear, type NoticeReader } from './heard.ts';
import { listOf, memberOf, textOf } from './members.ts';

/** Tags are a list; early versions had a map from tags to images. */
function tagsOf(body: unknown): readonly string[] {
  const tags = memberOf(body, 'updated_tags');
  if (typeof tags !== 'object' || tags === null) return [];
  return Array.isArray(tags)
    ? listOf(body, 'updated_tags').filter((tag) => typeof tag === 'string')
    : Object.keys(tags);
}

/** Notifications of Quay ("Push to repository"): tags without digests, and nothing that authenticates them but the URL. */
export const quay: NoticeReader = {
  name: 'quay',
  recognises: ({ body }) => textOf(body, 'docker_url') !== undefined && memberOf(body, 'updated_tags') !== undefined,
  read: ({ body, registry }) => {
    const [host, ...path] = (textOf(body, 'docker_url') ?? '').split('/');
    const repository = textOf(body, 'repository') ?? (path.length > 0 ? path.join('/') : undefined);
    const tags = tagsOf(body);
    if (tags.length === 0) return [{ because: 'it names no tags' }];
    return tags.map((tag) => hear({ registry: registry ?? host, repository, tag }));
  },
};
