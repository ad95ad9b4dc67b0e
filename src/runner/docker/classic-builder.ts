import { encodeHeader } from './auth-header.ts';
import { describeBuildFailure } from './build-failure.ts';
import type { Builder, BuildJob } from './build-job.ts';
import { pause } from './canceled.ts';
import { createClassicProgress } from './classic-progress.ts';

const stopPaceMs = 50;
const stopTries = 200;

/** `X-Registry-Config`: credentials by host, as the engine's API wants them. */
function registryConfig({ credentials }: BuildJob): Record<string, string> {
  const hosts = Object.entries(credentials).map(([host, { userName, password }]) => {
    const key = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
    return [key, { username: userName, password, serveraddress: key }] as const;
  });
  if (hosts.length === 0) return {};
  return { 'X-Registry-Config': encodeHeader(Object.fromEntries(hosts)) };
}

/** True while the engine still has the container; what cannot be asked counts as gone. */
async function exists(job: BuildJob, container: string): Promise<boolean> {
  try {
    await job.engine.json({ method: 'GET', path: `/containers/${container}/json`, deadlineMs: 5000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * A build by the classic builder: for engines without BuildKit. The engine cancels it when its connection closes, and kills and
 * removes the container of the instruction by itself; we wait until it has.
 */
export function createClassicBuilder(job: BuildJob): Builder {
  const progress = createClassicProgress((stream, text) => job.io.output(stream, text), job.now);
  return {
    query: { version: '1', buildid: job.buildId },
    headers: registryConfig(job),
    take: (message) => progress.write(message),
    flush: () => progress.flush(),
    stop: async (ended, disconnect) => {
      disconnect();
      await ended;
      const { container } = progress;
      for (let tries = 0; container && tries < stopTries && (await exists(job, container)); tries += 1) {
        await pause(stopPaceMs);
      }
    },
    close: async () => {},
    describe: (fault) =>
      describeBuildFailure({
        ...fault,
        dockerfile: job.dockerfile ?? job.step.dockerfile ?? 'Dockerfile',
        ...(progress.step && { step: progress.step }),
      }),
    get imageId() {
      return progress.imageId;
    },
    get remains() {
      return progress.layer;
    },
    vertices: [],
    bases: progress.bases,
  };
}
