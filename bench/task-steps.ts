/** cmd steps beside the same containers driven straight through the engine's API, in turns; and planning of large task files. */
import { systemClock } from '../src/domain/clock.ts';
import type { RunId } from '../src/domain/run.ts';
import type { Plan } from '../src/domain/step.ts';
import { hostTimer } from '../src/engine/policy/timeout.ts';
import { runPlan } from '../src/engine/run.ts';
import { connectEngine, createDockerRunner, type DockerRunner } from '../src/runner/docker/index.ts';
import { planTask } from '../src/task/plan-task.ts';
import { createRender } from '../src/task/render.ts';
import { callEngine } from '../test/rig/stand-ins.ts';
import { median, type Row } from './table.ts';

const image = 'busybox:latest';
const headers = { host: 'docker', 'content-type': 'application/json' };

interface Shape {
  readonly name: string;
  /** A step's line, and what it needs. */
  readonly steps: readonly (readonly [id: string, needs: readonly string[], words?: string])[];
  /** The steps find each other by name: that takes a network of their own, for the floor too. */
  readonly hasNames?: boolean;
}

const eight = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

const shapes: readonly Shape[] = [
  { name: 'one step', steps: [['a', []]] },
  {
    name: '3 in sequence',
    steps: [
      ['a', []],
      ['b', ['a']],
      ['c', ['b']],
    ],
  },
  { name: 'fan-out of 8', steps: eight.map((id) => [id, []]) },
  {
    name: 'diamond',
    steps: [
      ['a', []],
      ['b', ['a']],
      ['c', ['a']],
      ['d', ['b', 'c']],
    ],
  },
  {
    name: 'fan-out of 8 that name each other',
    steps: eight.map((id) => [id, [], `true ${eight.join(' ')}`]),
    hasNames: true,
  },
];

/** Plans a task file as a worker does, with the network that every task has. */
function planShape({ steps }: Shape): Plan {
  const lines = steps.map(
    ([id, needs, words = 'true']) =>
      `  - id: ${id}\n    cmd: ${image} ${words}\n    when: ${JSON.stringify(needs.length > 0 ? needs : ['-'])}\n`,
  );
  return planText(`version: v1.1.0\nsteps:\n${lines.join('')}`);
}

function planText(text: string): Plan {
  const run = { id: 'ca1', registry: 'r.example.com', startedAt: new Date(0) };
  const render = createRender({ now: 0, random: () => 0.5 });
  const result = planTask(text, { run, render, limits: { steps: 1000 } });
  if (!result.ok) throw new Error(result.errors[0]?.message);
  return result.plan;
}

async function call(host: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const { Readable } = await import('node:stream');
  const sent = body && { body: Readable.from([Buffer.from(JSON.stringify(body))]) };
  const { status, text } = await callEngine(host, { method, path, headers, ...sent });
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
}

/** One container from its creation to its exit; its removal does not count, as it does not in a run. */
async function rawContainer(host: string, network: string, remove: string[]): Promise<void> {
  const { Id } = await call(host, 'POST', '/containers/create', {
    Image: image,
    Cmd: ['true'],
    HostConfig: { NetworkMode: network, Init: true, LogConfig: { Type: 'local' } },
  });
  const id = String(Id);
  await call(host, 'POST', `/containers/${id}/start`);
  await call(host, 'POST', `/containers/${id}/wait?condition=not-running`);
  remove.push(id);
}

/** The plan's containers in the plan's order, each begun the moment those that it needs have ended. Milliseconds. */
async function rawPlan(host: string, plan: Plan, hasNames: boolean): Promise<number> {
  const remove: string[] = [];
  const done = new Map<string, Promise<void>>();
  const network = hasNames ? 'slipway-bench-floor' : 'bridge';
  const began = performance.now();
  if (hasNames) await call(host, 'POST', '/networks/create', { Name: network, Driver: 'bridge' });
  for (const { id, needs } of plan.steps) {
    const ready = Promise.all(needs.map((need) => done.get(need) ?? Promise.resolve()));
    done.set(
      id,
      ready.then(() => rawContainer(host, network, remove)),
    );
  }
  await Promise.all(done.values());
  const took = performance.now() - began;
  for (const id of remove) await callEngine(host, { method: 'DELETE', path: `/containers/${id}?force=1&v=1` });
  if (hasNames) await callEngine(host, { method: 'DELETE', path: `/networks/${network}` });
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
    clock: systemClock,
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.kind === 'step-ended') ended = performance.now();
    },
  });
  await runner.settle();
  if (status !== 'Succeeded') throw new Error(message);
  return ended - began;
}

/** Both figures of one shape, in turns; the first pair warms up. */
async function benchShape(
  rounds: number,
  ours: () => Promise<number>,
  raw: () => Promise<number>,
): Promise<{ readonly ours: number; readonly raw: number }> {
  const figures = { ours: [] as number[], raw: [] as number[] };
  for (let round = 0; round <= rounds; round += 1) {
    const isFirst = round % 2 === 0;
    const early = isFirst ? await ours() : await raw();
    const late = isFirst ? await raw() : await ours();
    if (round === 0) continue;
    figures.ours.push(isFirst ? early : late);
    figures.raw.push(isFirst ? late : early);
  }
  return { ours: median(figures.ours), raw: median(figures.raw) };
}

/** Time from the beginning of a plan to the end of its last step. */
export async function benchSteps(host: string, rounds = 12): Promise<Row[]> {
  const engine = connectEngine({ host });
  const clock = { now: () => Date.now() };
  const runner = createDockerRunner({ engine, installation: 'bench', registryHost: 'localhost', clock });
  const rows: Row[] = [];
  let run = 0;
  for (const shape of shapes) {
    const { name, hasNames = false } = shape;
    const plan = planShape(shape);
    const ourTurn = (): Promise<number> => ourPlan(runner, plan, (run += 1));
    const { ours, raw } = await benchShape(rounds, ourTurn, () => rawPlan(host, plan, hasNames));
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
  const ours = Array.from({ length: 9 }, () => time(() => void planText(text)));
  const json = JSON.stringify(text.split('\n'));
  const floor = Array.from({ length: 9 }, () => time(() => void JSON.parse(json)));
  const row = { ours: median(ours), floor: median(floor), unit: 'ms', target: '< 100 ms' };
  return [{ name: 'planning 1,000 steps (floor: JSON.parse of its lines)', ...row, ratio: row.ours / row.floor }];
}
