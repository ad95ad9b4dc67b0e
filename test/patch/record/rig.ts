import type { Digest } from '../../../src/domain/digest.ts';
import type { RunCause } from '../../../src/domain/run-cause.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { Task, TaskName } from '../../../src/domain/task.ts';
import type { PlatformReader } from '../../../src/patch/ports.ts';
import { recordRun } from '../../../src/patch/record/record-run.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import { aRequest, aRun } from '../../rig/runs.ts';
import { contextPath, dockerTask, withTrigger } from '../learn/rig.ts';

export const name = 'build-app' as TaskName;
export const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
export const base = { registry: 'docker.io', repository: 'library/node', tag: '22' };
export const image = { registry: 'reg.test:5000', repository: 'app', tag: 'v1' };
export const campaign: RunCause = { kind: 'image-update', id: 'cp1', timestamp: 'x', images: [], campaign: 'cp1' };

export const at = (minute: number): string => `2026-11-21T10:${String(minute).padStart(2, '0')}:00.000Z`;

/** A run of the task as it is, which ended well in its tenth minute. */
export function ofTask(change: Partial<Run> = {}): Run {
  return aRun({
    status: 'Succeeded',
    task: name,
    cause: { kind: 'manual', by: 'admin' },
    request: aRequest({ sourceLocation: contextPath }),
    createTime: at(1),
    startTime: at(2),
    finishTime: at(10),
    dependencies: [{ image, runtime: { ...base, digest: digest('b') }, buildTime: [], commit: 'c1' }],
    outputImages: [{ ...image, digest: digest('a') }],
    ...change,
  });
}

export function source(change: Partial<Extract<RunCause, { kind: 'source' }>>): RunCause {
  return {
    kind: 'source',
    trigger: 'onpush',
    id: 'd1',
    eventType: 'commit',
    repositoryUrl: contextPath,
    branchName: 'main',
    ref: 'refs/heads/main',
    providerType: 'github',
    isTrusted: true,
    ...change,
  };
}

/** An index whose manifests have the letter after its own; `f` is gone. */
const platformsOf: PlatformReader = async (one, platforms) =>
  platforms.map((platform) => {
    const letter = one.digest.slice(-1);
    return { platform, ...(letter !== 'f' && { digest: digest(String.fromCharCode(letter.charCodeAt(0) + 1)) }) };
  });

export async function setUp(task: Task = dockerTask({}, withTrigger())) {
  const store = createMemoryStore({ clock: { now: () => 0 } });
  await store.tasks.put(task, 0, []);
  const tags = new Map<string, Digest>();
  const options = {
    ...store,
    tags: {
      digestOf: async ({ repository, tag }: { repository: string; tag?: string }) =>
        tags.get(`${repository}:${tag ?? ''}`),
    },
    platformsOf,
  };
  const record = async (run: Run) => {
    await recordRun(run, options);
    return store.baseImages.get(name);
  };
  return { ...store, options, record, tagsNow: tags };
}
