import { hear, type NoticeReader } from './heard.ts';
import { memberOf, textOf } from './members.ts';

/**
 * Webhooks of Docker Hub (docs.docker.com, "Webhooks"): a repository and a tag, without a digest and without a signature. Its
 * `callback_url` is not called: nothing may make us send a request anywhere.
 */
export const dockerHub: NoticeReader = {
  name: 'docker-hub',
  recognises: ({ body }) =>
    memberOf(body, 'push_data') !== undefined && memberOf(body, 'repository', 'repo_name') !== undefined,
  read: ({ body, registry = 'docker.io' }) => [
    hear({
      registry,
      repository: textOf(body, 'repository', 'repo_name'),
      tag: textOf(body, 'push_data', 'tag'),
      by: textOf(body, 'push_data', 'pusher'),
    }),
  ],
};
