import { fail } from '../domain/failure.ts';
import type { GlobFilter, SourceTriggerEvent } from '../domain/source-rules.ts';
import { pickWord, readThreeState, type TaskFlags } from './task-options.ts';
import type { TaskContext } from './task-step.ts';
import type { BaseImageTriggerView, SourceTriggerView, TimerView, TriggerView } from './task-types.ts';

/** az's own names. */
const sourceName = 'defaultSourceTriggerName';
const baseImageName = 'defaultBaseimageTriggerName';

/** What the first branch of a repository is called, as long as nobody has said. */
const firstBranches = ['main', 'master'];

/** The first of t1, t2, … that is no timer's name yet. */
export function nextTimerName(taken: readonly string[]): string {
  const names = new Set(taken.map((name) => name.toLowerCase()));
  for (let at = 1; ; at += 1) if (!names.has(`t${String(at)}`)) return `t${String(at)}`;
}

/** `name:cron`, or cron alone for a timer that is called t1, t2, … (acr-tasks.md §3.3). Throws `invalid-request`. */
export function parseSchedules(texts: readonly string[]): readonly TimerView[] {
  const timers: TimerView[] = [];
  const given = texts.map((text) => /^([^\s:]*):(.*)$/.exec(text)?.[1] ?? '').filter((name) => name !== '');
  for (const text of texts) {
    const [, name = '', schedule = text] = /^([^\s:]*):(.*)$/.exec(text) ?? [];
    if (schedule.trim().split(/\s+/).length !== 5) {
      throw fail('invalid-request', `--schedule "${text.slice(0, 80)}" has not the five fields of cron`, {
        field: '--schedule',
        hint: 'minute hour day month weekday, perhaps with a name: --schedule "nightly:0 3 * * *"',
      });
    }
    const taken = [...given, ...timers.map((timer) => timer.name)];
    timers.push({ name: name === '' ? nextTimerName(taken) : name, schedule: schedule.trim() });
  }
  return timers;
}

function makeFilter(
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): GlobFilter | undefined {
  if (include === undefined && exclude === undefined) return undefined;
  return { ...(include !== undefined && { include }), ...(exclude !== undefined && { exclude }) };
}

/** The filters that flags give; `branch` and `branches` for a single name and for anything else. */
export function readFilters(flags: TaskFlags): Pick<SourceTriggerView, 'branches' | 'tags' | 'paths' | 'trustsForks'> {
  const branches = makeFilter(flags.branch, flags.excludeBranch);
  const tags = makeFilter(flags.tag, flags.excludeTag);
  const paths = makeFilter(flags.path, flags.excludePath);
  const trustsForks = readThreeState(flags.trustForks, '--trust-forks');
  return {
    ...(branches && { branches }),
    ...(tags && { tags }),
    ...(paths && { paths }),
    ...(trustsForks !== undefined && { trustsForks }),
  };
}

/** The events that a trigger hears after what flags say; `before` are those that it has heard so far. */
export function readEvents(flags: TaskFlags, before: readonly SourceTriggerEvent[]): readonly SourceTriggerEvent[] {
  const hasTags = flags.tag !== undefined || flags.excludeTag !== undefined;
  const wanted: readonly (readonly [SourceTriggerEvent, boolean | undefined])[] = [
    ['commit', readThreeState(flags.commitTriggerEnabled, '--commit-trigger-enabled')],
    ['pullrequest', readThreeState(flags.pullRequestTriggerEnabled, '--pull-request-trigger-enabled')],
    ['tag', readThreeState(flags.tagTriggerEnabled, '--tag-trigger-enabled') ?? (hasTags ? true : undefined)],
  ];
  return wanted.filter(([event, isOn]) => isOn ?? before.includes(event)).map(([event]) => event);
}

/** The branch that a context names: undefined without one, and for a commit, which never changes. */
function branchOf({ location }: TaskContext): { readonly branch?: string; readonly isPinned: boolean } {
  const ref = location.kind === 'git' ? location.ref?.replace(/^refs\/heads\//, '') : undefined;
  const isPinned = ref !== undefined && (/^[0-9a-f]{40}$/i.test(ref) || /^(?:refs\/)?(?:tags|pull)\//.test(ref));
  return { isPinned, ...(ref !== undefined && !isPinned && { branch: ref }) };
}

/** The repository that a trigger watches, and which of its branches as far as the context says. az sends the context as it is. */
function readRepository({
  flags,
  context,
  token,
}: SourceWish & { context: TaskContext }): SourceTriggerView['sourceRepository'] {
  const { branch } = branchOf(context);
  const isGitHub = /(?:^|[/@.])github\.com[/:]/i.test(context.path);
  return {
    sourceControlType: isGitHub ? 'Github' : 'VisualStudioTeamService',
    repositoryUrl: context.path,
    ...(branch !== undefined && { branch }),
    ...(flags.apiUrl !== undefined && { apiUrl: flags.apiUrl }),
    ...(token !== undefined && { sourceControlAuthProperties: { tokenType: 'PAT', token } }),
  };
}

export interface SourceWish {
  readonly flags: TaskFlags;
  readonly context: TaskContext | undefined;
  readonly token: string | undefined;
}

const asking = ['commitTriggerEnabled', 'pullRequestTriggerEnabled', 'tagTriggerEnabled'] as const;

/** True when flags ask for a source trigger in so many words. */
function asksForSource(flags: TaskFlags): boolean {
  const filters = [flags.branch, flags.excludeBranch, flags.tag, flags.excludeTag, flags.path, flags.excludePath];
  return (
    filters.some((one) => one !== undefined) || asking.some((name) => flags[name] === true || flags[name] === 'true')
  );
}

function whyNoSource({ context }: SourceWish): string | undefined {
  if (context?.location.kind !== 'git') return 'the context is no git repository';
  return branchOf(context).isPinned
    ? 'the context names a commit, a tag or a pull request, which nobody pushes to'
    : undefined;
}

/** The trigger of a task that is built when its repository changes. Undefined where there is none to have. Throws `invalid-request`. */
export function createSourceTrigger(wish: SourceWish): SourceTriggerView | undefined {
  const { flags, context } = wish;
  const why = whyNoSource(wish);
  if (why !== undefined && asksForSource(flags))
    throw fail('invalid-request', `pushes cannot start runs: ${why}`, { field: '--context' });
  const events = readEvents(flags, ['commit']);
  if (context === undefined || why !== undefined || events.length === 0) return undefined;
  const filters = readFilters(flags);
  const isOpen = branchOf(context).branch === undefined && filters.branches === undefined;
  return {
    name: flags.sourceTriggerName ?? sourceName,
    sourceRepository: readRepository({ ...wish, context }),
    sourceTriggerEvents: events,
    ...(isOpen && { branches: { include: firstBranches } }),
    ...filters,
  };
}

function readWave(text: string): number {
  if (/^[0-9]$/.test(text)) return Number(text);
  throw fail('invalid-request', '--base-image-trigger-wave must be a whole number from 0 to 9', {
    field: '--base-image-trigger-wave',
  });
}

/** `docker.io/library/node:22.*=NODE_VERSION`; `none` alone: no tags any more. Throws `invalid-request`. */
function readFollow(texts: readonly string[]): NonNullable<BaseImageTriggerView['follow']> {
  if (texts.length === 1 && texts[0] === 'none') return [];
  return texts.map((text) => {
    const [, pattern, argument] = /^([^=\s]+)=(\w+)$/.exec(text) ?? [];
    if (pattern !== undefined && argument !== undefined) return { pattern, argument };
    throw fail('invalid-request', `--follow-base-tag "${text.slice(0, 200)}" is no image:tag* and an argument`, {
      field: '--follow-base-tag',
      hint: 'for example --follow-base-tag "docker.io/library/node:22.*=NODE_VERSION"',
    });
  });
}

/** What Azure does not have. */
function readOwnBaseImageFlags(flags: TaskFlags): Partial<BaseImageTriggerView> {
  const { baseImageTriggerStrategy: strategy, baseImageTriggerWave: wave, followBaseTag } = flags;
  const includesSteps = readThreeState(flags.baseImageTriggerSteps, '--base-image-trigger-steps');
  return {
    ...(strategy !== undefined && {
      strategy: pickWord(strategy, ['rebuild', 'rebase', 'auto'], '--base-image-trigger-strategy'),
    }),
    ...(wave !== undefined && { wave: readWave(wave) }),
    ...(includesSteps !== undefined && { includesSteps }),
    ...(followBaseTag !== undefined && { follow: readFollow(followBaseTag) }),
  };
}

/** What flags say of the base-image trigger; undefined when they say nothing. Throws `invalid-request`. */
export function readBaseImageTrigger(flags: TaskFlags): Partial<BaseImageTriggerView> | undefined {
  const { baseImageTriggerType: type, baseImageTriggerName: name, updateTriggerEndpoint: endpoint } = flags;
  const { updateTriggerPayloadType: payload } = flags;
  const isEnabled = readThreeState(flags.baseImageTriggerEnabled, '--base-image-trigger-enabled');
  const given: Partial<BaseImageTriggerView> = {
    ...(name !== undefined && { name }),
    ...(type !== undefined && {
      baseImageTriggerType: pickWord(type, ['Runtime', 'All'], '--base-image-trigger-type'),
    }),
    ...(isEnabled !== undefined && { status: isEnabled ? 'Enabled' : 'Disabled' }),
    ...(endpoint !== undefined && { updateTriggerEndpoint: endpoint }),
    ...(payload !== undefined && {
      updateTriggerPayloadType: pickWord(payload, ['Default', 'Token'], '--update-trigger-payload-type'),
    }),
    ...readOwnBaseImageFlags(flags),
  };
  return Object.keys(given).length === 0 ? undefined : given;
}

/** A whole base-image trigger out of what flags say. */
export function createBaseImageTrigger(given: Partial<BaseImageTriggerView>): BaseImageTriggerView {
  return { name: baseImageName, baseImageTriggerType: 'Runtime', status: 'Enabled', ...given };
}

/** What starts runs of a new task. Throws `invalid-request` naming the flag. */
export function createTriggers(wish: SourceWish): TriggerView {
  const source = createSourceTrigger(wish);
  const baseImage = createBaseImageTrigger(readBaseImageTrigger(wish.flags) ?? {});
  return {
    timerTriggers: parseSchedules(wish.flags.schedule ?? []),
    sourceTriggers: source === undefined ? [] : [source],
    ...(baseImage.status !== 'Disabled' && { baseImageTrigger: baseImage }),
  };
}
