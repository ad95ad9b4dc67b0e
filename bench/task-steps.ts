/** cmd steps beside the same containers driven straight through the engine's API, in turns; and planning of large task files. */
import type { RunId } from '../src/domain/run.ts';
import { createCmdStep, createPlan } from '../src/domain/step-defaults.ts';
import type { CmdStep, Plan, StepId } from '../src/domain/step.ts';
import { hostTimer } from '../src/engine/policy/timeout.ts';
import { runPlan } from '../src/engine/run.ts';
import { connectEngine, createDockerRunner, type DockerRunner } from '../src/runner/docker/index.ts';
import { planTask } from '../src/task/plan-task.ts';
import { createRender } from '../src/task/render.ts';
import { callEngine } from '../test/rig/stand-ins.ts';
import { median, type Row } from './table.ts';

const image = 'busybox:latest';
const headers = { host: 'docker', 'content-type': 'application/json' };

function step(id: string, needs: readonly string[] = []): CmdStep {
  return createCmdStep(id, image, { arguments: ['true'], needs: needs as readonly StepId[] });
}

const shapes: Readonly<Record<string, Plan>> = {
  'one step': createPlan([step('a')]),
  '3 in sequence': createPlan([step('a'), step('b', ['a']), step('c', ['b'])]),
  'fan-out of 8': createPlan(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((id) => step(id))),
  diamond: createPlan([step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])]),
};

async function call(host: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const { Readable } = await import('node:stream');
  const sent = body && { body: Readable.from([Buffer.from(JSON.stringify(body))]) };
  const { status, text } = await callEngine(host, { method, path, headers, ...sent });
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
}

/** One container from its creation to its exit; its removal does not count, as it does not in a run. */
async function rawContainer(host: string, remove: string[]): Promise<void> {
  const { Id } = await call(host, 'POST', '/containers/create', {
    Image: image,
    Cmd: ['true'],
    HostConfig: { Init: true, LogConfig: { Type: 'local' } },
  });
  const id = String(Id);
  await call(host, 'POST', `/containers/${id}/start`);
  await call(host, 'POST', `/containers/${id}/wait?condition=not-running`);
  remove.push(id);
}

/** The plan's containers in the plan's order, each begun the moment those that it needs have ended. Milliseconds. */
async function rawPlan(host: string, plan: Plan): Promise<number> {
  const remove: string[] = [];
  const done = new Map<string, Promise<void>>();
  const began = performance.now();
  for (const { id, needs } of plan.steps) {
    const ready = Promise.all(needs.map((need) => done.get(need) ?? Promise.resolve()));
    done.set(
      id,
      ready.then(() => rawContainer(host, remove)),
    );
  }
  await Promise.all(done.values());
  const took = performance.now() - began;
  for (const id of remove) await callEngine(host, { method: 'DELETE', path: `/containers/${id}?force=1&v=1` });
  return took;
}

async function ourPlan(runner: DockerRunner, plan: Plan, run: number): Promise<number> {
  const began = performance.now();
  let ended = began;
  const { status, message } = await runPlan({
    plan,
    setup: { runId: `bench${run}` as RunId, attempt: 1, plan, registryCredentials: {} },
    runner,
    timeoutMs: 60_000,
    timer: hostTimer,
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.kind === 'step-ended') ended = performance.now();
    },
  });
  await runner.settle();
  if (status !== 'Succeeded') throw new Error(message);
  return ended - began;
}

/** Time from the beginning of a plan to the end of its last step. */
export async function benchSteps(host: string, rounds = 12): Promise<Row[]> {
  const engine = connectEngine({ host });
  const clock = { now: () => Date.now() };
  const runner = createDockerRunner({ engine, installation: 'bench', registryHost: 'localhost', clock });
  const rows: Row[] = [];
  let run = 0;
  for (const [name, plan] of Object.entries(shapes)) {
    const figures: [number[], number[]] = [[], []];
    for (let round = 0; round <= rounds; round += 1) {
      const ours = async (): Promise<number> => ourPlan(runner, plan, (run += 1));
      const pair =
        round % 2 === 0 ? [await ours(), await rawPlan(host, plan)] : [await rawPlan(host, plan), await ours()];
      if (round % 2 === 1) pair.reverse();
      if (round > 0) pair.forEach((ms, index) => figures[index === 0 ? 0 : 1].push(ms));
    }
    const [ours, raw] = [median(figures[0]), median(figures[1])];
    const target = name === 'one step' ? `at most 20 ms more: ${(ours - raw).toFixed(1)} more` : 'ratio ≤ 1.10';
    rows.push({ name: `cmd steps, ${name}`, ours, floor: raw, ratio: ours / raw, unit: 'ms', target });
  }
  engine.close();
  return rows;
}

/** Planning a file of 1,000 steps, beside reading it as plain JSON. */
export function benchPlanning(): Row[] {
  const steps = Array.from({ length: 1000 }, (_, n) => `  - id: s${n}\n    cmd: bash echo {{.Run.ID}} ${n}\n`).join('');
  const text = `version: v1.1.0\nsteps:\n${steps}`;
  const time = (work: () => void): number => {
    const began = performance.now();
    work();
    return performance.now() - began;
  };
  const plan = (): void => {
    const run = { id: 'ca1', registry: 'r.example.com', startedAt: new Date(0) };
    const result = planTask(text, {
      run,
      render: createRender({ now: 0, random: () => 0.5 }),
      limits: { steps: 1000 },
    });
    if (!result.ok) throw new Error(result.errors[0]?.message);
  };
  const ours = Array.from({ length: 9 }, () => time(plan));
  const json = JSON.stringify(text.split('\n'));
  const floor = Array.from({ length: 9 }, () => time(() => void JSON.parse(json)));
  const row = { ours: median(ours), floor: median(floor), unit: 'ms', target: '< 100 ms' };
  return [{ name: 'planning 1,000 steps (floor: JSON.parse of its lines)', ...row, ratio: row.ours / row.floor }];
}
