import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../domain/run.ts';
import type { RunRequest } from '../domain/run-request.ts';
import type { Egress } from '../egress/ports.ts';
import { contextKey } from '../http/options.ts';
import type { Installation } from '../installation.ts';
import { createFollowed } from '../patch/graph/followed-tags.ts';
import { createTriggerReader } from '../patch/learn/image-triggers.ts';
import { createLearner } from '../patch/learn/learner.ts';
import type { LearnMeans, StandInRun } from '../patch/learn/means.ts';
import type { OwnRegistry } from '../patch/own-registry.ts';
import { createContextOpener } from '../source/open-context.ts';
import { openTaskSecrets } from '../trigger/sealed-secrets.ts';
import { requestOfTask } from '../trigger/task-request.ts';
import { planRun } from '../worker/plan-run.ts';
import type { Foreign } from './foreign-registries.ts';

/** Longer than a large repository takes, shorter than a worker may be silent about a job. */
const learnMs = 10 * 60_000;

export interface LearningOptions {
  readonly installation: Installation;
  readonly egress: Egress;
  readonly access: OwnRegistry;
  readonly foreign: Pick<Foreign, 'triggersOf'>;
}

/** A run's record that nobody keeps: what a plan made before any run is made for. */
function recordOf(request: RunRequest, { runId, task, cause, startedAt }: StandInRun): Run {
  const time = startedAt.toISOString();
  return {
    runId,
    request,
    cause,
    task: task.name,
    status: 'Running',
    runType: request.type === 'DockerBuildRequest' ? 'AutoBuild' : 'AutoRun',
    ...{ createTime: time, startTime: time, lastUpdatedTime: time },
    attempt: 1,
    steps: [],
    outputImages: [],
    isArchiveEnabled: false,
  };
}

/** What stands where a task's secret goes when the task is only read. */
const unread = 'a-secret-that-is-not-read';

/** Of our own registry's images and of those of others. */
function openTriggers({ access, foreign }: LearningOptions): LearnMeans['triggersOf'] {
  const own = createTriggerReader(access);
  const host = access.registryHost.toLowerCase();
  return (image, platform, task) =>
    image.registry === host ? own(image, platform) : foreign.triggersOf(image, platform, task);
}

async function openMeans(options: LearningOptions): Promise<LearnMeans> {
  const { installation, egress, access } = options;
  const { config, key, storage, store } = installation;
  const findFollowed = createFollowed(store.baseImages);
  const tempRoot = join(config.dataDir, 'work');
  await mkdir(tempRoot, { recursive: true });
  const limits = { ...config.context, maxBytes: config.upload.maxBytes };
  const uploads = { open: async (path: string) => (await storage.read(contextKey(path)))?.stream };
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return {
    requestOf: async (task, followed) =>
      requestOfTask(task, openTaskSecrets(key, task.sealedSecrets), {
        followed: followed ?? (await findFollowed(task)),
      }),
    openContext: createContextOpener({
      ...{ egress, tempRoot, limits, uploads, git: config.git },
      ownRegistry: { host: access.registryHost, url: access.url, credential: access.credential },
    }),
    plan: (request, run) =>
      planRun(request, {
        run: recordOf(request, run),
        registryHost: config.registryHost,
        images: config.steps.images,
        ...{ architecture, startedAt: run.startedAt, context: run.context, random: run.random },
        say: () => undefined,
        onSecrets: () => undefined,
        fetchText: (url) => egress.fetchText(url, { signal: run.signal, field: 'alias.src' }),
        resolveSecret: () => Promise.resolve(unread),
      }),
    triggersOf: openTriggers(options),
    architecture,
    timeoutMs: learnMs,
  };
}

/** Opens what reads, before any run, what tasks' images stand on. */
export async function openLearning(options: LearningOptions): Promise<ReturnType<typeof createLearner>> {
  const { clock, logger, store } = options.installation;
  const means = await openMeans(options);
  return createLearner({ tasks: store.tasks, baseImages: store.baseImages, means, clock, logger });
}
