/** What registries send, as their documentation and their software have it; names and digests are made up. */
export const digest = `sha256:${'8a9e9863dbb6e10edb5adfe917c00da8'.repeat(2)}`;

export const dockerHubPush = {
  callback_url: 'https://registry.hub.docker.com/u/owner/base/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/',
  push_data: { pushed_at: 1_417_566_161, pusher: 'trustedbuilder', tag: 'latest' },
  repository: {
    comment_count: 0,
    date_created: 1_417_494_799,
    description: '',
    full_description: 'A base of ours',
    is_official: false,
    is_private: true,
    is_trusted: true,
    name: 'base',
    namespace: 'owner',
    owner: 'owner',
    repo_name: 'owner/base',
    repo_url: 'https://registry.hub.docker.com/u/owner/base/',
    star_count: 0,
    status: 'Active',
  },
};

export const azurePush = {
  id: 'cb8c3971-9adc-488b-b59a-43cbb4974ff5',
  timestamp: '2026-11-17T16:52:01.343145347Z',
  action: 'push',
  target: {
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    size: 524,
    digest,
    length: 524,
    repository: 'base/hello-world',
    tag: 'v1',
  },
  request: {
    id: '3cbb6949-7549-4fa1-86cd-a6d5451dffc7',
    host: 'MyRegistry.azurecr.io',
    method: 'PUT',
    useragent: 'docker/28.2.2 go/go1.24.3 kernel/6.8 os/linux arch/amd64',
  },
};

export const azureChartPush = {
  id: '6356e9e0-627f-4fed-a3a8-d1ae2ac34b7b',
  timestamp: '2026-03-05T23:45:31.2614267Z',
  action: 'chart_push',
  target: {
    mediaType: 'application/vnd.acr.helm.chart',
    size: 25_265,
    digest,
    repository: 'repo',
    tag: 'wordpress-5.4.0.tgz',
    name: 'wordpress',
    version: '5.4.0.tgz',
  },
};

const harborResources = {
  resources: [{ digest, tag: 'latest', resource_url: 'hub.harbor.test/library/debian:latest' }],
  repository: {
    date_created: 1_586_922_308,
    name: 'debian',
    namespace: 'library',
    repo_full_name: 'library/debian',
    repo_type: 'private',
  },
};

export const harborPush = {
  type: 'PUSH_ARTIFACT',
  occur_at: 1_586_922_308,
  operator: 'admin',
  event_data: harborResources,
};

export const harborCloudEvent = {
  specversion: '1.0',
  id: '66e18103-09c1-41f6-982f-37df223f3eeb',
  requestid: '51c0b694-0168-4f3c-b0db-282565455d7b',
  source: '/projects/2/webhook/policies/15',
  type: 'harbor.artifact.pushed',
  datacontenttype: 'application/json',
  time: '2026-04-03T06:04:46Z',
  data: harborResources,
  operator: 'robot$ci',
};

export const quayPush = {
  name: 'repository',
  repository: 'mynamespace/repository',
  namespace: 'mynamespace',
  docker_url: 'quay.io/mynamespace/repository',
  homepage: 'https://quay.io/repository/mynamespace/repository',
  updated_tags: ['latest', '9'],
};

export const githubPackage = {
  action: 'published',
  registry_package: {
    id: 10_696_678,
    name: 'base',
    namespace: 'Octo-Org',
    description: '',
    ecosystem: 'CONTAINER',
    package_type: 'CONTAINER',
    html_url: 'https://github.com/Octo-Org/base/packages/10696678',
    owner: { login: 'Octo-Org', type: 'Organization' },
    package_version: {
      id: 430_232,
      version: digest,
      name: digest,
      container_metadata: { tag: { name: 'v1.2.3', digest }, labels: {}, manifest: {} },
      package_url: 'ghcr.io/Octo-Org/base:v1.2.3',
      installation_command: 'docker pull ghcr.io/Octo-Org/base:v1.2.3',
    },
    registry: {
      name: 'GitHub CONTAINER registry',
      type: 'CONTAINER',
      url: 'https://CONTAINER.pkg.github.com/Octo-Org',
      vendor: 'GitHub Inc',
    },
  },
  repository: { full_name: 'Octo-Org/base' },
  sender: { login: 'octocat' },
};

const distributionEvent = {
  id: '320678d8-ca14-430f-8bb6-4ca139cd83f7',
  timestamp: '2026-03-09T14:44:26.402973972-08:00',
  action: 'push',
  target: {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    size: 708,
    digest,
    length: 708,
    repository: 'hello-world',
    url: 'https://registry.test:5000/v2/hello-world/manifests/latest',
    tag: 'latest',
  },
  request: {
    id: '6df24a34-0959-4923-81ca-14f09767db19',
    addr: '192.168.64.11:42961',
    host: 'registry.test:5000',
    method: 'PUT',
    useragent: 'curl/8.5.0',
  },
  actor: { name: 'ci' },
  source: { addr: 'registry:5000', instanceID: 'a53db899-3b4b-4a62-a067-8dd013beaca4' },
};

export const distributionEnvelope = {
  events: [
    {
      ...distributionEvent,
      target: {
        mediaType: 'application/octet-stream',
        digest,
        length: 3,
        repository: 'hello-world',
        url: 'https://x/',
      },
    },
    distributionEvent,
    { ...distributionEvent, action: 'pull' },
  ],
};

export const eventGridCloudEvent = {
  specversion: '1.0',
  id: 'eventID',
  source: '/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/myregistry',
  subject: 'base/hello-world:v1',
  type: 'Microsoft.ContainerRegistry.ImagePushed',
  time: '2026-11-17T16:52:01.3431453Z',
  data: { ...azurePush, target: { ...azurePush.target } },
};

export const slipwayRun = {
  specversion: '1.0',
  id: 'msg_0123456789abcdef0123456789abcdef',
  source: 'https://other.test/api/v1',
  type: 'dev.slipway.run.succeeded',
  subject: 'runs/ca1',
  time: '2026-11-21T09:00:00.000Z',
  datacontenttype: 'application/json',
  data: { runId: 'ca1', outputImages: [{ registry: 'other.test:5080', repository: 'base', tag: '1', digest }] },
};
