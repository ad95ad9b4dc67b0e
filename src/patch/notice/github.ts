import { headerOf, hear, type Heard, type Notice, type NoticeReader } from './heard.ts';
import { memberOf, textOf } from './members.ts';

const events = new Set(['package', 'registry_package']);

/** `ghcr.io/owner/name:tag`, of which the tag may be missing or empty; nothing when the package's address is no such text. */
function splitUrl(url = ''): { registry?: string; repository?: string; tag?: string } {
  return /^(?<registry>[^/]+)\/(?<repository>[^:@]+)(?::(?<tag>[^:@]+)?)?$/.exec(url)?.groups ?? {};
}

/** Names of owners have capitals, those of repositories of images do not. */
function repositoryOf(given: unknown): string | undefined {
  const owner = textOf(given, 'namespace') ?? textOf(given, 'owner', 'login');
  const name = textOf(given, 'name');
  return owner === undefined || name === undefined ? undefined : `${owner}/${name}`.toLowerCase();
}

function isContainer(given: unknown): boolean {
  return /^(?:container|docker)$/i.test(textOf(given, 'package_type') ?? '');
}

function readPackage(body: unknown, registry: Notice['registry']): Heard {
  const given = memberOf(body, 'registry_package') ?? memberOf(body, 'package');
  if (!isContainer(given)) return { because: 'the package is no container image' };
  const version = memberOf(given, 'package_version');
  const url = splitUrl(textOf(version, 'package_url'));
  const tag = memberOf(version, 'container_metadata', 'tag');
  return hear({
    registry: registry ?? url.registry ?? 'ghcr.io',
    repository: url.repository?.toLowerCase() ?? repositoryOf(given),
    tag: textOf(tag, 'name') ?? url.tag,
    digest: textOf(tag, 'digest') ?? textOf(version, 'version'),
    by: textOf(body, 'sender', 'login'),
  });
}

/** Webhooks of GitHub about packages (events `package` and `registry_package`), signed with `X-Hub-Signature-256`. */
export const github: NoticeReader = {
  name: 'github',
  recognises: ({ headers }) => headerOf(headers, 'x-github-event') !== undefined,
  read: ({ headers, body, registry }) => {
    const event = headerOf(headers, 'x-github-event') ?? 'registry_package';
    if (!events.has(event)) return [{ because: `"${event.slice(0, 50)}" is no event of a package` }];
    const action = textOf(body, 'action') ?? '';
    if (action !== 'published' && action !== 'updated') return [{ because: `"${action.slice(0, 50)}" is no push` }];
    return [readPackage(body, registry)];
  },
};
