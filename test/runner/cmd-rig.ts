import { afterAll, afterEach } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RunId } from '../../src/domain/run.ts';
import type { CmdStep, Plan, Step, StepId } from '../../src/domain/step.ts';
import { createCmdStep, createPlan } from '../../src/domain/step-defaults.ts';
import type { PreparedRun, RunSetup } from '../../src/engine/ports.ts';
import {
  connectEngine,
  createDockerRunner,
  type DockerRunner,
  type DockerRunnerOptions,
  type Engine,
} from '../../src/runner/docker/index.ts';
import { aSetup, engineHost, recordIo, type RecordedIo } from './rig.ts';

export interface Done {
  readonly outcome: Outcome;
  readonly io: RecordedIo;
}

/** What the engine has of a test's installation. */
export interface Remains {
  readonly containers: number;
  readonly networks: number;
  readonly volumes: number;
}

/** Runs steps on the real engine; whatever they make is gone after each test. */
export interface CmdRig {
  readonly installation: string;
  readonly engine: Engine;
  readonly runner: DockerRunner;
  /** The id of the run that was prepared last. */
  readonly runId: string;
  /** Makes the runner anew with other options, for the rest of the test. */
  configure(change: Partial<DockerRunnerOptions>): void;
  prepare(steps: readonly Step[], plan?: Partial<Plan>, setup?: Partial<RunSetup>): Promise<PreparedRun>;
  runOn(run: PreparedRun, step: Step, signal?: AbortSignal): Promise<Done>;
  /** A run of one step. */
  runOne(step: CmdStep, plan?: Partial<Plan>, setup?: Partial<RunSetup>): Promise<Done>;
  remains(): Promise<Remains>;
}

/** A step that runs `script` with busybox's shell. */
export function shell(id: string, script: string, given: Partial<Omit<CmdStep, 'kind' | 'id'>> = {}): CmdStep {
  return createCmdStep(id, 'busybox:latest', { arguments: ['sh', '-c', script], ...given });
}

/** What a step's container wrote. */
export function written({ io }: Done): readonly string[] {
  return io.lines.filter(({ stream }) => stream !== 'system').map(({ text }) => text);
}

export const succeeded: Outcome = { kind: 'succeeded' };

export function needs(...ids: string[]): readonly StepId[] {
  return ids as unknown as readonly StepId[];
}

/** The network that a task has when it declares none. */
export const network = {
  name: 'acb_default_network',
  driver: 'bridge',
  ipv6: false,
  skipCreation: false,
  isDefault: true,
};

let rigs = 0;

/** Makes a rig for the tests of a file; call it at the top. */
export function createCmdRig(): CmdRig {
  rigs += 1;
  const installation = `cmd-${process.pid}-${Date.now()}-${rigs}`;
  const engine = connectEngine({ host: engineHost });
  const open: PreparedRun[] = [];
  const create = (change: Partial<DockerRunnerOptions> = {}): DockerRunner =>
    createDockerRunner({ engine, installation, registryHost: '127.0.0.1:1', clock: { now: Date.now }, ...change });
  let runner = create();
  let count = 0;
  afterEach(async () => {
    await Promise.all(open.splice(0).map((run) => run.dispose()));
    await runner.settle();
    runner = create();
  });
  afterAll(() => engine.close());
  const prepare: CmdRig['prepare'] = async (steps, plan = {}, setup = {}) => {
    count += 1;
    const run = await runner.prepare(aSetup({ runId: `ct${count}` as RunId, plan: createPlan(steps, plan), ...setup }));
    open.push(run);
    return run;
  };
  const runOn: CmdRig['runOn'] = async (run, step, signal = new AbortController().signal) => {
    const io = recordIo();
    return { outcome: await run.run(step, io, signal), io };
  };
  const list = async (path: string): Promise<number> => {
    const filters = JSON.stringify({ label: [`slipway.installation=${installation}`] });
    const answer = await engine.json({ method: 'GET', path, query: { filters, all: '1' } });
    const all = path === '/volumes' ? (answer as { Volumes: unknown }).Volumes : answer;
    return Array.isArray(all) ? all.length : 0;
  };
  return {
    installation,
    engine,
    get runner() {
      return runner;
    },
    get runId() {
      return `ct${count}`;
    },
    configure: (change) => {
      runner = create(change);
    },
    prepare,
    runOn,
    runOne: async (step, plan, setup) => runOn(await prepare([step], plan, setup), step),
    remains: async () => ({
      containers: await list('/containers/json'),
      networks: await list('/networks'),
      volumes: await list('/volumes'),
    }),
  };
}
