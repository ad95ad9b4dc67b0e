import type { AttemptPolicy, BuildStep, CmdStep, Plan, PushStep, Step, StepId } from './step.ts';

/** Once, and not again. */
export const singleAttempt: AttemptPolicy = { retries: 0, retryDelaySeconds: 5, retryOnErrors: [], repeat: 0 };

type Given<S extends Step> = Omit<Partial<S>, 'kind' | 'id'>;

function baseOf(id: string) {
  return {
    id: id as StepId,
    index: 0,
    line: 0,
    needs: [],
    runOn: 'success',
    timeoutSeconds: 600,
    startDelaySeconds: 0,
    ignoreErrors: false,
  } as const;
}

/** A build step in which everything that is not given has its default. */
export function createBuildStep(id: string, given: Given<BuildStep> = {}): BuildStep {
  return {
    ...baseOf(id),
    kind: 'build',
    build: '.',
    context: { kind: 'local', path: '.' },
    tags: [],
    arguments: [],
    labels: [],
    noCache: false,
    pull: false,
    cache: false,
    options: [],
    workingDirectory: '/workspace',
    env: [],
    attempts: singleAttempt,
    detach: false,
    volumeMounts: [],
    ...given,
  };
}

/** A push step in which everything that is not given has its default. */
export function createPushStep(id: string, given: Given<PushStep> = {}): PushStep {
  return { ...baseOf(id), kind: 'push', images: [], ...given };
}

/** A cmd step of `image` in which everything that is not given has its default. */
export function createCmdStep(id: string, image: string, given: Given<CmdStep> = {}): CmdStep {
  return {
    ...baseOf(id),
    kind: 'cmd',
    cmd: image,
    image,
    arguments: [],
    usesEngine: false,
    env: [],
    workingDirectory: '/workspace',
    ports: [],
    expose: [],
    privileged: false,
    detach: false,
    keep: false,
    pull: false,
    pullRetries: 0,
    pullRetryDelaySeconds: 0,
    attempts: singleAttempt,
    volumeMounts: [],
    options: [],
    container: [image],
    ...given,
  };
}

/** A plan of these steps, without networks, volumes or secrets. */
export function createPlan(steps: readonly Step[], given: Partial<Omit<Plan, 'steps'>> = {}): Plan {
  return { version: 'v1.1.0', steps, networks: [], volumes: [], secrets: [], ...given };
}
