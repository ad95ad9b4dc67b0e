import { formatElapsed } from '../domain/event-text.ts';
import { cleanLine } from './clean-line.ts';
import type { Colors } from './screen.ts';
import type { ArgumentView, StepView, TaskDocument, TaskProperties, TimerView, WatchView } from './task-types.ts';
import { formatTable } from './words.ts';

/** How many things start a task's runs, by their kinds: `commit, 2 timers`. */
function summariseTriggers({ trigger }: TaskProperties): string {
  const { sourceTriggers = [], timerTriggers = [], baseImageTrigger } = trigger ?? {};
  const isOn = ({ status }: { readonly status?: string }): boolean => status !== 'Disabled';
  const events = new Set(sourceTriggers.filter(isOn).flatMap(({ sourceTriggerEvents }) => sourceTriggerEvents));
  const timers = timerTriggers.filter(isOn).length;
  const words = [
    ...events,
    ...(timers === 0 ? [] : [`${String(timers)} timer${timers === 1 ? '' : 's'}`]),
    ...(baseImageTrigger !== undefined && isOn(baseImageTrigger) ? ['base image'] : []),
  ];
  return words.length === 0 ? 'by hand' : words.join(', ');
}

/** What a step is made of: its Dockerfile, its task file, or that it is kept with the task. */
function nameFile(step: StepView): string {
  return step.dockerFilePath ?? step.taskFilePath ?? '(kept with the task)';
}

/** The tasks as a table, by name. */
export function formatTasks(tasks: readonly TaskDocument[], colors: Colors): readonly string[] {
  const rows = tasks.map(({ name, properties }) => [
    name,
    properties.status ?? 'Enabled',
    summariseTriggers(properties),
    nameFile(properties.step),
    properties.step.contextPath ?? '-',
  ]);
  const [head = '', ...lines] = formatTable([['TASK', 'STATUS', 'STARTS BY', 'FILE', 'CONTEXT'], ...rows]);
  return [colors.bold(head), ...lines].map((line) => cleanLine(line, true));
}

function formatArguments(list: readonly ArgumentView[] = []): string | undefined {
  if (list.length === 0) return undefined;
  return list
    .map(({ name, value, isSecret }) => `${name}=${isSecret && value === undefined ? '***' : (value ?? '')}`)
    .join(' ');
}

function formatImages({ imageNames = [], isPushEnabled, type }: StepView): string | undefined {
  if (type !== 'Docker') return undefined;
  if (imageNames.length === 0) return '(none: the image is built and not pushed)';
  return `${imageNames.join(', ')}${isPushEnabled === false ? ' (not pushed)' : ''}`;
}

function formatRules({ whenSuperseded, maxConcurrentRuns }: TaskProperties): string | undefined {
  const words = [
    ...(whenSuperseded === undefined || whenSuperseded === 'queue'
      ? []
      : [`a newer event of the same branch: ${whenSuperseded}`]),
    ...(maxConcurrentRuns === undefined ? [] : [`at most ${String(maxConcurrentRuns)} at the same time`]),
  ];
  return words.length === 0 ? undefined : words.join('; ');
}

function formatPlatform({ platform }: TaskProperties): string | undefined {
  if (platform === undefined) return undefined;
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
}

function listFacts({ name, properties }: TaskDocument): readonly (readonly [string, string | undefined])[] {
  const { step, credentials } = properties;
  const hosts = Object.keys(credentials?.customRegistries ?? {});
  return [
    ['Task:', name],
    ['Status:', properties.status],
    ['Context:', step.contextPath ?? 'none'],
    ['File:', nameFile(step)],
    ['Values file:', step.valuesFilePath],
    ['Target:', step.target],
    ['Images:', formatImages(step)],
    ['Arguments:', formatArguments(step.arguments)],
    ['Values:', formatArguments(step.values)],
    ['Platform:', formatPlatform(properties)],
    ['Timeout:', properties.timeout === undefined ? undefined : formatElapsed(properties.timeout * 1000)],
    ['Agent pool:', properties.agentPoolName],
    ['Runs:', formatRules(properties)],
    ['Credentials:', hosts.length === 0 ? undefined : hosts.join(', ')],
  ];
}

/** What a task watches, and why something is not watched. */
export function formatWatch(watch: readonly WatchView[], colors: Colors): readonly string[] {
  const lines = watch.flatMap(({ what, isWatched, because, how, digest, next = [] }) => {
    const mark = isWatched ? colors.green('yes') : colors.dim('no ');
    // A URL is the task's own webhook, which is named below.
    const told = because ?? (how?.startsWith('http') === true ? undefined : how);
    const built = digest === undefined ? [] : [`built on ${digest.slice(0, 19)}`];
    const notes = [...(told === undefined ? [] : [told]), ...built].join('; ');
    const why = notes === '' ? '' : colors.dim(` (${cleanLine(notes, false)})`);
    const soon = next.length === 0 ? [] : [colors.dim(`         next: ${next.join(', ')}`)];
    return [`  ${mark}  ${cleanLine(what, false)}${why}`, ...soon];
  });
  return lines.length === 0 ? [] : ['Watches:', ...lines];
}

/** Everything about one task, a line for each thing. */
export function formatTask(task: TaskDocument, colors: Colors): readonly string[] {
  const known = listFacts(task).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, cleanLine(value, true)]],
  );
  const { webhook, watch = [] } = task.properties;
  return [
    ...formatTable(known),
    ...formatWatch(watch, colors),
    ...(webhook === undefined ? [] : [`Webhook: ${webhook.url}`]),
    ...(webhook?.secrets ?? []).map((secret) => `  secret: ${secret}`),
  ];
}

/** The timers as a table; `watch` knows their next occurrences. */
export function formatTimers(
  timers: readonly TimerView[],
  watch: readonly WatchView[],
  colors: Colors,
): readonly string[] {
  const rows = timers.map(({ name, schedule, status, timeZone, catchUp }) => {
    const next = watch.find(({ what }) => what.startsWith(`timer ${name}:`))?.next?.[0];
    return [name, schedule, timeZone ?? 'UTC', status ?? 'Enabled', catchUp === false ? 'no' : 'yes', next ?? '-'];
  });
  const heads = ['TIMER', 'SCHEDULE', 'TIME ZONE', 'STATUS', 'CATCHES UP', 'NEXT'];
  const [head = '', ...lines] = formatTable([heads, ...rows]);
  return [colors.bold(head), ...lines];
}
