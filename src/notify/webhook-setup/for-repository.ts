import { fail } from '../../domain/failure.ts';
import { gitProviderNames, normaliseRepository, type GitProviderName } from '../../domain/git-repository.ts';
import { openForge } from '../forge/api.ts';
import type { SendToForge } from '../forge/send.ts';
import { setUpWebhook, type WebhookResult } from './set-up.ts';

const hosts: readonly (readonly [RegExp, GitProviderName])[] = [
  [/^dev\.azure\.com$|\.visualstudio\.com$/, 'azure-devops'],
  [/^github\.com$|\.ghe\.com$|(?:^|[.-])github[.-]/, 'github'],
  [/(?:^|[.-])gitlab[.-]/, 'gitlab'],
  [/^bitbucket\.org$|(?:^|[.-])bitbucket[.-]/, 'bitbucket'],
  [/^codeberg\.org$|(?:^|[.-])(?:gitea|forgejo|gogs)[.-]/, 'gitea'],
];

/** The forge of a repository, as far as the name of its host tells; undefined for a host that could be anything. */
export function guessForge(repositoryUrl: string): GitProviderName | undefined {
  const host = normaliseRepository(repositoryUrl)?.host;
  return host === undefined ? undefined : hosts.find(([pattern]) => pattern.test(host))?.[1];
}

export interface RepositoryWebhook {
  readonly repositoryUrl: string;
  readonly provider?: string | undefined;
  /** The root of the forge's API, where it does not follow from the repository's URL. */
  readonly apiUrl?: string | undefined;
  readonly token: string;
  readonly url: string;
  readonly secret: string;
  readonly pullRequests: boolean;
}

/**
 * Makes the function that registers a webhook with the forge of a repository, as `setUpWebhook` does.
 * @throws `invalid-request` with field `provider` when the forge is not known and not said.
 */
export function createRepositorySetup(send: SendToForge) {
  return async ({
    repositoryUrl,
    provider,
    apiUrl,
    token,
    ...wish
  }: RepositoryWebhook): Promise<readonly WebhookResult[]> => {
    const said = gitProviderNames.find((name) => name === provider);
    const forge = said ?? guessForge(repositoryUrl);
    if (forge === undefined) {
      throw fail('invalid-request', 'the name of the host does not tell which forge it is', {
        field: 'provider',
        hint: `say which: ${gitProviderNames.filter((name) => name !== 'generic').join(', ')}`,
      });
    }
    const client = openForge(
      { provider: forge, url: repositoryUrl.split('#', 1)[0] ?? '', ...(apiUrl !== undefined && { apiUrl }) },
      { token },
    );
    return setUpWebhook(client, wish, send);
  };
}
