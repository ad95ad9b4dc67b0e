import { createBuildKitProgress } from './buildkit-progress.ts';
import { decodeTrace, type Trace } from './buildkit-trace.ts';
import { describeBuildFailure } from './build-failure.ts';
import { secretArguments, type Builder, type BuildJob } from './build-job.ts';
import { pause } from './canceled.ts';
import { textField, type EngineMessage } from './json-lines.ts';
import { openSession } from './session.ts';

/** Between two tries to cancel: the engine forgets a cancel that comes before the build is under way. */
const cancelPaceMs = 100;
/** After that long a cancel is given up and the connection is cut, which cancels too. */
const cancelPatienceMs = 15_000;

function readTrace(message: EngineMessage): Trace | undefined {
  if (message['id'] !== 'moby.buildkit.trace') return undefined;
  const aux = textField(message, 'aux');
  try {
    return aux === undefined ? undefined : decodeTrace(Buffer.from(aux, 'base64'));
  } catch {
    return undefined; // one message in a form we do not know costs its lines, not the build
  }
}

/**
 * Starts the session of a build. Every build has one, also without credentials and secrets: BuildKit asks it before each pull from a
 * registry that wants a token, public ones among them, and fails with "no active sessions" where there is none.
 */
function startSession(job: BuildJob): { readonly id: string; close(): Promise<void> } {
  const offer = { credentials: job.credentials, secrets: secretArguments(job.step) };
  const opened = openSession(job.engine, job.buildId, offer);
  opened.catch(() => {}); // reported by close
  return { id: job.buildId, close: async () => (await opened).close() };
}

async function stopBuild(job: BuildJob, ended: Promise<unknown>, disconnect: () => void): Promise<void> {
  const over = new AbortController();
  const deadline = setTimeout(() => over.abort(), cancelPatienceMs);
  void ended.then(() => over.abort());
  try {
    while (!over.signal.aborted) {
      await job.engine.json({ method: 'POST', path: '/build/cancel', query: { id: job.buildId }, deadlineMs: 5000 });
      await pause(cancelPaceMs, over.signal);
    }
  } catch {
    // The engine does not take the cancel: cutting the connection is what is left.
  } finally {
    clearTimeout(deadline);
    disconnect();
  }
}

/** A build by BuildKit (`version=2`). Its session comes up while the context is already on its way. */
export function createBuildKitBuilder(job: BuildJob): Builder {
  const progress = createBuildKitProgress((stream, text) => job.io.output(stream, text));
  const session = startSession(job);
  let imageId: string | undefined;
  return {
    query: { version: '2', buildid: job.buildId, session: session.id },
    headers: {},
    take: (message) => {
      const trace = readTrace(message);
      if (trace) progress.write(trace);
      else imageId = textField(message['aux'], 'ID') ?? imageId;
    },
    flush: () => progress.flush(),
    stop: (ended, disconnect) => stopBuild(job, ended, disconnect),
    close: () => session.close(),
    describe: (fault) =>
      describeBuildFailure({
        ...fault,
        dockerfile: job.dockerfile ?? job.step.dockerfile ?? 'Dockerfile',
        vertices: progress.vertices,
      }),
    get imageId() {
      return imageId;
    },
    remains: undefined,
    get vertices() {
      return progress.vertices;
    },
    get bases() {
      return progress.bases;
    },
  };
}
