import type { Outcome } from '../../domain/outcome.ts';
import type { BuildStep, CmdStep, Step } from '../../domain/step.ts';
import type { PreparedRun, StepIo } from '../../engine/ports.ts';
import { createBuildSources, type BuildSources } from './build-source.ts';
import { pause } from './canceled.ts';
import { runCmd } from './cmd.ts';
import type { KeptContainer } from './cmd-job.ts';
import { removeContainer } from './container.ts';
import { createRunNetworks, type RunNetworks } from './network.ts';
import { runPush, type PushJob } from './push.ts';
import { removeRunContainers } from './run-containers.ts';
import type { RunScope } from './scope.ts';
import { createRunSocket, type RunSocket } from './socket/run-socket.ts';
import { createStartups, type Startups } from './startups.ts';
import { createRunVolumes, type RunVolumes } from './volumes.ts';

/** One try of a step. */
export interface StepTry<S extends Step = Step> {
  readonly step: S;
  readonly io: StepIo;
  readonly signal: AbortSignal;
  readonly attempt: number;
}

/** What a run is done with besides its scope. */
export interface RunMeans {
  /** See {@link PushJob.backoffMs}. */
  readonly pushBackoffMs: PushJob['backoffMs'];
  readonly build: (scope: RunScope, sources: BuildSources, about: StepTry<BuildStep>) => Promise<Outcome>;
}

/** What the steps of a run have made and share. */
interface RunState {
  readonly scope: RunScope;
  readonly networks: RunNetworks;
  readonly volumes: RunVolumes;
  readonly sources: BuildSources;
  readonly socket: RunSocket;
  readonly startups: Startups;
  readonly kept: Map<string, KeptContainer>;
  /** Work that goes on behind the steps. */
  readonly behind: Set<Promise<void>>;
}

function prepare(given: RunScope): RunState {
  const behind = new Set<Promise<void>>();
  const scope: RunScope = {
    ...given,
    rebased: new Map(),
    inBackground: (what, work) => {
      const done = given.inBackground(what, work).finally(() => behind.delete(done));
      behind.add(done);
      return done;
    },
  };
  const kept = new Map<string, KeptContainer>();
  const volumes = createRunVolumes(scope);
  const keepHolder = (id: string): void => {
    kept.set(id, { id, ended: Promise.resolve(), silence: () => {} });
  };
  const sources = createBuildSources(scope, volumes, keepHolder);
  const socket = createRunSocket(scope, volumes);
  const networks = createRunNetworks(scope);
  return { scope, networks, volumes, sources, socket, startups: createStartups(), kept, behind };
}

async function runCmdStep(state: RunState, about: StepTry<CmdStep>): Promise<Outcome> {
  const { networks, volumes, startups, kept, socket } = state;
  const engineAccess = about.step.usesEngine ? await socket.open() : undefined;
  const scope = { ...state.scope, ...(engineAccess && { engineAccess }) };
  const keep = (container: KeptContainer): void => void kept.set(container.id, container);
  return runCmd({ scope, networks, volumes, startups, ...about, keep });
}

function runStep(state: RunState, means: RunMeans, { step, ...about }: StepTry): Promise<Outcome> {
  const { scope, sources } = state;
  switch (step.kind) {
    case 'build':
      return means.build(scope, sources, { step, ...about });
    case 'cmd':
      return runCmdStep(state, { step, ...about });
    case 'push': {
      const { engine, setup, now, rebased } = scope;
      const { io, signal } = about;
      const job = { engine, images: step.images, credentials: setup.registryCredentials, io, signal, now };
      return runPush({ ...job, backoffMs: means.pushBackoffMs, ...(rebased && { rebased }) });
    }
  }
}

/** How long the output of a container that was ended may take to arrive. */
const lastWordsMs = 1000;

/** Ends what detached steps left running; afterwards nothing comes from them any more. */
async function endKept({ scope, kept }: RunState): Promise<void> {
  const all = [...kept.values()];
  kept.clear();
  const end = async ({ id, ended, silence }: KeptContainer): Promise<void> => {
    await scope.inBackground('removing a container', () => removeContainer(scope.engine, id));
    await Promise.race([ended, pause(lastWordsMs)]);
    silence();
  };
  await Promise.all(all.map(end));
}

/**
 * Ends what the steps left, what they made by the engine socket, which must not make more from here on, and where the run was taken up
 * again, what earlier attempts left.
 */
async function endAll(state: RunState): Promise<void> {
  const { engine, installation, setup, inBackground } = state.scope;
  const closing = inBackground('closing the engine socket of a run', () => state.socket.close());
  await Promise.all([closing, endKept(state)]);
  if (!setup.begunTries) return;
  await inBackground('removing what an earlier attempt left', () =>
    removeRunContainers(engine, { installation, runId: setup.runId }),
  );
}

/** Keeps the workspace; that it cannot be kept costs a later run time, and this one nothing. */
async function keepShared({ scope, volumes }: RunState): Promise<void> {
  await scope.inBackground('keeping the workspace of a run', () => volumes.keep());
}

/** Removes networks and volumes once no container has them any more; nobody waits for it. */
function removeShared({ networks, volumes, socket, behind }: RunState, given: RunScope): void {
  const containers = [...behind];
  void given.inBackground('removing the networks and volumes of a run', async () => {
    await Promise.all(containers);
    await socket.removeShared();
    await Promise.all([networks.remove(), volumes.remove()]);
  });
}

/**
 * Makes a run ready. Nothing is made on the engine but networks that steps surely need. Its `dispose` resolves when no container of the run
 * is left running; what is not on anybody's way (networks, volumes, ended containers) goes behind it.
 */
export function prepareRun(given: RunScope, means: RunMeans): PreparedRun {
  const state = prepare(given);
  let disposed: Promise<void> | undefined;
  return {
    run: (step, io, signal, attempt = 1) => runStep(state, means, { step, io, signal, attempt }),
    dispose: (how) => {
      disposed ??= endAll(state)
        .then(() => (how?.keepWorkspace === true ? keepShared(state) : undefined))
        .then(() => removeShared(state, given));
      return disposed;
    },
    abandon: () => {
      disposed ??= Promise.resolve();
      for (const { silence } of state.kept.values()) silence();
      state.kept.clear();
      state.socket.abandon();
    },
  };
}
