import type { Clock } from '../../domain/clock.ts';
import { azureDevopsProvider } from './azure-devops.ts';
import { bitbucketProvider } from './bitbucket.ts';
import type { GitProviderName } from '../../domain/git-repository.ts';
import type { DeliveryHeaders, GitProvider } from './event.ts';
import { createGenericProvider } from './generic.ts';
import { giteaProvider } from './gitea.ts';
import { githubProvider } from './github.ts';
import { createGitlabProvider } from './gitlab.ts';

/** The providers that deliveries are read with. */
export interface GitProviders {
  readonly all: readonly GitProvider[];
  get(name: GitProviderName): GitProvider;
  /** The provider whose headers these are; undefined when no forge that is known sent them. */
  recognise(headers: DeliveryHeaders): GitProvider | undefined;
}

/** Makes all providers. `clock` tells replays of deliveries that carry a signed time. */
export function createGitProviders(clock: Clock): GitProviders {
  const table: Readonly<Record<GitProviderName, GitProvider>> = {
    generic: createGenericProvider(clock),
    github: githubProvider,
    gitlab: createGitlabProvider(clock),
    gitea: giteaProvider,
    bitbucket: bitbucketProvider,
    // Last: it is known by little more than its password.
    'azure-devops': azureDevopsProvider,
  };
  const all = Object.values(table);
  return {
    all,
    get: (name) => table[name],
    recognise: (headers) => all.find((provider) => provider.recognise(headers)),
  };
}
