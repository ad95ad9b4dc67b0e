import type { Run, RunId } from '../../src/domain/run.ts';
import type { DockerBuildRequest } from '../../src/domain/run-request.ts';

/** A quick-build request with everything at its default; `change` overrides. */
export function aRequest(change: Partial<DockerBuildRequest> = {}): DockerBuildRequest {
  return {
    type: 'DockerBuildRequest',
    imageNames: ['app:v1'],
    isPushEnabled: true,
    noCache: false,
    dockerFilePath: 'Dockerfile',
    arguments: [],
    isArchiveEnabled: false,
    timeout: 3600,
    platform: { os: 'linux' },
    agentConfiguration: { cpu: 2 },
    credentials: { sourceRegistry: { loginMode: 'Default' }, customRegistries: {} },
    ...change,
  };
}

/** A Queued run; `change` overrides. */
export function aRun(change: Partial<Run> = {}): Run {
  const time = '2026-11-21T09:00:00.000Z';
  return {
    runId: 'ca1' as RunId,
    status: 'Queued',
    runType: 'QuickBuild',
    createTime: time,
    lastUpdatedTime: time,
    request: aRequest(),
    attempt: 0,
    steps: [],
    outputImages: [],
    isArchiveEnabled: false,
    ...change,
  };
}
