import { formatOutput, replaceOutputs } from '../domain/output-reference.ts';
import type { Plan, Step } from '../domain/step.ts';

/** What a step does, in one line. */
function describeWork(step: Step): string {
  switch (step.kind) {
    case 'build':
      return step.build;
    case 'push':
      return step.images.join(' ');
    case 'cmd':
      return step.cmd;
  }
}

function oneLine(text: string, width: number): string {
  const line = replaceOutputs(text, formatOutput)
    .trim()
    .replace(/[\s\u0000-\u001f\u007f]+/g, ' ');
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** When a step starts, in words. */
function describeStart({ needs, runOn }: Step): string {
  const after = needs.length === 0 ? 'at once' : `after ${needs.join(', ')}`;
  switch (runOn) {
    case 'success':
      return after;
    case 'failure':
      return `${after}, on failure`;
    case 'always':
      return `${after}, always`;
  }
}

/** How often a step with containers runs. */
function describeTries(step: Step): readonly string[] {
  if (step.kind === 'push') return [];
  const { retries, repeat } = step.attempts;
  return [
    step.detach ? 'detached' : '',
    retries > 0 ? `${retries} retries` : '',
    repeat > 0 ? `repeated ${repeat} times` : '',
  ];
}

/** What is unusual about how a step runs. */
function describeManner(step: Step): string {
  const notes = [
    ...describeTries(step),
    step.kind === 'cmd' && step.shell !== undefined ? 'by a shell in the container' : '',
    step.startDelaySeconds > 0 ? `delayed ${step.startDelaySeconds} s` : '',
    step.ignoreErrors ? 'errors ignored' : '',
    `at most ${step.timeoutSeconds} s`,
  ];
  return notes.filter((note) => note !== '').join(', ');
}

/** How deep each step stands in the graph: one more than the deepest that it needs. */
function depthsOf(steps: readonly Step[]): readonly number[] {
  const depths = new Map<string, number>();
  return steps.map(({ id, needs }) => {
    const depth = needs.reduce((most, need) => Math.max(most, (depths.get(need) ?? 0) + 1), 0);
    depths.set(id, depth);
    return depth;
  });
}

/** The heading of a drawing. */
function describeTask({ version, steps, networks, volumes, secrets }: Plan): string {
  const count = (list: readonly unknown[], word: string): string =>
    `${list.length} ${word}${list.length === 1 ? '' : 's'}`;
  const parts = [`task ${version}`, count(steps, 'step'), count(networks, 'network')];
  if (volumes.length > 0) parts.push(count(volumes, 'volume'));
  if (secrets.length > 0) parts.push(count(secrets, 'secret'));
  return parts.join(' · ');
}

/**
 * Draws a plan as text: the steps in stages, those of one stage able to run at the same time; each with its kind, what it waits for and
 * what it does.
 * @param width columns of the terminal.
 */
export function drawText(plan: Plan, width = 120): string {
  const depths = depthsOf(plan.steps);
  const stages = Math.max(0, ...depths.map((depth) => depth + 1));
  const names = Math.max(0, ...plan.steps.map(({ id }) => id.length));
  const lines = [describeTask(plan)];
  for (let stage = 0; stage < stages; stage++) {
    const steps = plan.steps.filter((_, index) => depths[index] === stage);
    if (stage > 0) lines.push('│');
    steps.forEach((step, index) => {
      const isLast = index === steps.length - 1;
      const branch = stage === stages - 1 && isLast ? '└' : '├';
      const bar = stage === stages - 1 && isLast ? ' ' : '│';
      lines.push(`${branch}─ ${step.id.padEnd(names)}  ${step.kind.padEnd(5)}  ${describeStart(step)}`);
      lines.push(`${bar}     ${oneLine(describeWork(step), Math.max(20, width - 6))}`);
      lines.push(`${bar}     (${describeManner(step)})`);
    });
  }
  return `${lines.join('\n')}\n`;
}

function label(step: Step): readonly string[] {
  return [step.id, `${step.kind}: ${oneLine(describeWork(step), 60)}`];
}

function edges(plan: Plan): readonly { readonly from: number; readonly to: number; readonly runOn: Step['runOn'] }[] {
  const places = new Map(plan.steps.map(({ id }, index) => [id, index]));
  return plan.steps.flatMap(({ needs, runOn }, to) =>
    needs.map((need) => ({ from: places.get(need) ?? 0, to, runOn })),
  );
}

/** Draws a plan in the language of Graphviz. */
export function drawDot(plan: Plan): string {
  const quote = (text: string): string => text.replace(/[\\"]/g, '\\$&');
  const nodes = plan.steps.map((step, index) => `  s${index} [label="${label(step).map(quote).join('\\n')}"];`);
  const arrows = edges(plan).map(({ from, to, runOn }) => {
    const style = runOn === 'success' ? '' : ` [style=dashed, label="${runOn}"]`;
    return `  s${from} -> s${to}${style};`;
  });
  return ['digraph task {', '  rankdir=TB;', '  node [shape=box];', ...nodes, ...arrows, '}', ''].join('\n');
}

/** Draws a plan in the language of Mermaid. */
export function drawMermaid(plan: Plan): string {
  const quote = (text: string): string => text.replace(/[#"&<>`[\](){}|\\]/g, (char) => `#${char.charCodeAt(0)};`);
  const nodes = plan.steps.map((step, index) => `  s${index}["${label(step).map(quote).join('<br/>')}"]`);
  const arrows = edges(plan).map(({ from, to, runOn }) =>
    runOn === 'success' ? `  s${from} --> s${to}` : `  s${from} -. ${runOn} .-> s${to}`,
  );
  return ['flowchart TD', ...nodes, ...arrows, ''].join('\n');
}
