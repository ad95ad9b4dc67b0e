import { createHash } from 'node:crypto';
import type { ForgeApi, ForgeClient, ForgeRequest } from '../forge/api.ts';
import { contextOf, cutDescription, type CommitState, type CommitStatus } from './status.ts';

type States = Readonly<Record<CommitState, string>>;

/** Our states in each forge's words; where one has no word for "canceled", the nearest that does not look like success. */
const states: Readonly<Record<ForgeApi, States>> = {
  github: toStates('pending', 'pending', 'success', 'failure', 'error', 'error'),
  gitea: toStates('pending', 'pending', 'success', 'failure', 'error', 'error'),
  gitlab: toStates('pending', 'running', 'success', 'failed', 'failed', 'canceled'),
  'bitbucket-cloud': toStates('INPROGRESS', 'INPROGRESS', 'SUCCESSFUL', 'FAILED', 'FAILED', 'STOPPED'),
  'bitbucket-server': toStates('INPROGRESS', 'INPROGRESS', 'SUCCESSFUL', 'FAILED', 'FAILED', 'CANCELLED'),
  'azure-devops': toStates('pending', 'pending', 'succeeded', 'failed', 'error', 'error'),
};

function toStates(...names: readonly [string, string, string, string, string, string]): States {
  const [queued, running, success, failure, error, canceled] = names;
  return { queued, running, success, failure, error, canceled };
}

/** Bitbucket Cloud takes 40 characters; a longer one keeps its beginning and becomes unique by its hash. */
const maxBitbucketKey = 40;

function toBitbucketKey(context: string): string {
  if (context.length <= maxBitbucketKey) return context;
  const hash = createHash('sha256').update(context).digest('hex').slice(0, 8);
  return `${context.slice(0, maxBitbucketKey - hash.length - 1)}-${hash}`;
}

/** The API version that Azure DevOps Server 2020 and all later ones speak. */
const azureVersion = { 'api-version': '6.0' };

/** What is said of one commit, ready to be put into a forge's words. */
interface Said {
  readonly commit: string;
  readonly state: string;
  readonly context: string;
  readonly task: string;
  readonly targetUrl: string;
  readonly description: string;
}

type Build = (forge: ForgeClient, said: Said) => ForgeRequest;

/** GitHub "Create a commit status"; Gitea has taken it over. */
const buildHub: Build = ({ request, names }, { commit, state, context, targetUrl, description }) =>
  request('POST', ['repos', ...names, 'statuses', commit], {
    body: { state, target_url: targetUrl, description, context },
  });

/** GitLab "Set commit pipeline status". */
const buildGitlab: Build = ({ request, names, ids }, { commit, state, context, targetUrl, description }) =>
  request('POST', ['projects', ids['projectId'] ?? names.join('/'), 'statuses', commit], {
    body: { state, target_url: targetUrl, description, name: context },
  });

/** Bitbucket Cloud "Create a build status for a commit". */
const buildCloud: Build = ({ request, names }, { commit, state, context, targetUrl, description }) =>
  request('POST', ['repositories', ...names, 'commit', commit, 'statuses', 'build'], {
    body: { key: toBitbucketKey(context), state, url: targetUrl, name: context, description },
  });

/** Bitbucket Data Center "Updating build status for commits". */
const buildServer: Build = ({ request, names: [project = '', slug = ''] }, said) =>
  request('POST', ['projects', project, 'repos', slug, 'commits', said.commit, 'builds'], {
    body: {
      key: said.context,
      state: said.state,
      url: said.targetUrl,
      name: said.context,
      description: said.description,
    },
  });

/** Azure DevOps "Git statuses: create"; genre and name together are its context. */
const buildAzure: Build = ({ request, names }, { commit, state, task, targetUrl, description }) => {
  const [project = '', name = ''] = names.slice(-2);
  return request('POST', [project, '_apis', 'git', 'repositories', name, 'commits', commit, 'statuses'], {
    query: azureVersion,
    body: { state, description, targetUrl, context: { genre: 'slipway', name: task } },
  });
};

const builds: Readonly<Record<ForgeApi, Build>> = {
  github: buildHub,
  gitea: buildHub,
  gitlab: buildGitlab,
  'bitbucket-cloud': buildCloud,
  'bitbucket-server': buildServer,
  'azure-devops': buildAzure,
};

/** The request that puts a state on a commit. A later state of the same task replaces the former. */
export function buildStatusRequest(forge: ForgeClient, status: CommitStatus): ForgeRequest {
  const { commit, task, targetUrl } = status;
  return builds[forge.api](forge, {
    commit,
    state: states[forge.api][status.state],
    context: contextOf(task),
    task,
    targetUrl,
    description: cutDescription(status.description),
  });
}
