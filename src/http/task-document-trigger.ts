import { fail } from '../domain/failure.ts';
import { normaliseRepository } from '../domain/git-repository.ts';
import { maskedValue } from '../domain/run-request.ts';
import type { SourceTriggerEvent, GlobFilter } from '../domain/source-rules.ts';
import type { BaseImageTrigger, SourceTrigger, TaskSecrets, TaskTrigger, TimerTrigger } from '../domain/task.ts';
import { parseTagPattern } from '../patch/graph/followed-tags.ts';
import { compileFilter } from '../trigger/git/rules.ts';
import { nextOccurrences } from '../trigger/schedule.ts';
import type { AppOptions } from './options.ts';
import { checkAs, checkTransport } from './task-document-step.ts';
import { within } from './within.ts';

interface SourceBody {
  readonly name: string;
  readonly status?: SourceTrigger['status'];
  readonly sourceRepository: {
    readonly sourceControlType?: SourceTrigger['sourceRepository']['sourceControlType'];
    readonly repositoryUrl: string;
    readonly branch?: string;
    readonly apiUrl?: string;
    readonly sourceControlAuthProperties?: { readonly tokenType?: 'PAT' | 'OAuth'; readonly token: string };
  };
  readonly sourceTriggerEvents: readonly SourceTriggerEvent[];
  readonly branches?: GlobFilter;
  readonly tags?: GlobFilter;
  readonly paths?: GlobFilter;
  readonly trustsForks?: boolean;
}

type Defaulted<T extends { readonly status: unknown }> = Omit<T, 'status'> & Partial<Pick<T, 'status'>>;

/** `properties.trigger` as its contract has it. */
export interface TriggerBody {
  readonly timerTriggers?: readonly Defaulted<TimerTrigger>[];
  readonly sourceTriggers?: readonly SourceBody[];
  readonly baseImageTrigger?: Defaulted<BaseImageTrigger>;
}

export interface ReadTrigger {
  readonly trigger: TaskTrigger;
  /** Tokens by the name of their trigger. */
  readonly sources: TaskSecrets['sources'];
}

const maxTriggers = 50;

/** Two triggers of a task are told apart by name, ignoring case. */
function checkNames(list: readonly { readonly name: string }[], field: string): void {
  const seen = new Set<string>();
  for (const [at, { name }] of list.entries()) {
    const key = name.toLowerCase();
    const place = `${field}[${String(at)}].name`;
    if (seen.has(key)) throw fail('invalid-request', `${place} is the name of another trigger`, { field: place });
    seen.add(key);
  }
}

function readTimer(body: Defaulted<TimerTrigger>, now: number): TimerTrigger {
  nextOccurrences(body, now, 1);
  return { ...body, schedule: body.schedule.trim().split(/\s+/).join(' '), status: body.status ?? 'Enabled' };
}

interface Repository {
  readonly location: string;
  readonly secret?: string;
}

function readRepository(text: string, check: AppOptions['checkLocation']): Repository {
  const field = 'sourceRepository.repositoryUrl';
  const found = checkAs(field, text, check);
  if (normaliseRepository(found.location) !== undefined) return found;
  throw fail('invalid-request', `${field} is no URL of a git repository`, {
    field,
    hint: 'for example https://github.com/owner/name.git',
  });
}

/** What Azure does not have, as far as it was given; filters are compiled to see that they can be. */
function readFilters({ branches, tags, paths, trustsForks }: SourceBody): Partial<SourceTrigger> {
  compileFilter(branches, 'branches');
  compileFilter(tags, 'tags');
  compileFilter(paths, 'paths', true);
  return {
    ...(branches !== undefined && { branches }),
    ...(tags !== undefined && { tags }),
    ...(paths !== undefined && { paths }),
    ...(trustsForks !== undefined && { trustsForks }),
  };
}

/** The token, from where it was given: beside the URL, or in it. The mask that was shown is none. */
function readToken({ sourceControlAuthProperties: auth }: SourceBody['sourceRepository'], inUrl: string | undefined) {
  const given = auth?.token === maskedValue ? undefined : auth?.token;
  const token = given ?? inUrl;
  return token === undefined ? undefined : { token, tokenType: auth?.tokenType ?? ('PAT' as const) };
}

function readSource(body: SourceBody, check: AppOptions['checkLocation']): { trigger: SourceTrigger; token?: string } {
  const { repositoryUrl, branch, apiUrl, sourceControlType = 'Github' } = body.sourceRepository;
  const { location, secret } = readRepository(repositoryUrl, check);
  const auth = readToken(body.sourceRepository, secret);
  // With a URL of its own for the API, the token is for that alone.
  if (auth && apiUrl === undefined) checkTransport(location, 'sourceRepository.sourceControlAuthProperties');
  const trigger: SourceTrigger = {
    name: body.name,
    status: body.status ?? 'Enabled',
    sourceRepository: {
      sourceControlType,
      repositoryUrl: location,
      ...(branch !== undefined && { branch }),
      ...(apiUrl !== undefined && { apiUrl }),
      ...(auth && { tokenType: auth.tokenType }),
    },
    sourceTriggerEvents: [...new Set(body.sourceTriggerEvents)],
    ...readFilters(body),
  };
  return { trigger, ...(auth && { token: auth.token }) };
}

/** Tags can be followed where a pattern names a repository and leaves a part of the tag open. */
function checkFollow({ pattern }: { readonly pattern: string }, field: string): void {
  const tag = pattern.slice(pattern.lastIndexOf(':') + 1);
  if (tag.includes('*') && parseTagPattern(pattern) !== undefined) return;
  throw fail('invalid-request', `${field} is no image whose tag has a *`, {
    field,
    hint: 'for example docker.io/library/node:20.*, where * stands for digits and dots',
  });
}

function readBaseImage(body: Defaulted<BaseImageTrigger>): BaseImageTrigger {
  const { follow = [] } = body;
  for (const [at, one] of follow.entries()) checkFollow(one, `baseImageTrigger.follow[${String(at)}].pattern`);
  const names = follow.map(({ argument }) => argument);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (twice < 0) return { ...body, status: body.status ?? 'Enabled' };
  const field = `baseImageTrigger.follow[${String(twice)}].argument`;
  throw fail('invalid-request', `${field} is set by another pattern`, { field });
}

/** Reads what starts runs. Throws `invalid-request` naming the field within it. */
export function readTrigger(body: TriggerBody, { checkLocation, now }: TriggerOptions): ReadTrigger {
  const { timerTriggers = [], sourceTriggers = [], baseImageTrigger } = body;
  checkNames(timerTriggers, 'timerTriggers');
  checkNames(sourceTriggers, 'sourceTriggers');
  if (timerTriggers.length + sourceTriggers.length > maxTriggers) {
    throw fail('invalid-request', `a task has at most ${String(maxTriggers)} triggers`, { field: 'timerTriggers' });
  }
  const timers = timerTriggers.map((one, at) => within(`timerTriggers[${String(at)}]`, () => readTimer(one, now)));
  const sources = sourceTriggers.map((one, at) =>
    within(`sourceTriggers[${String(at)}]`, () => readSource(one, checkLocation)),
  );
  const tokens = sources.flatMap(({ trigger, token }) => (token === undefined ? [] : [[trigger.name, token] as const]));
  return {
    trigger: {
      timerTriggers: timers,
      sourceTriggers: sources.map(({ trigger }) => trigger),
      ...(baseImageTrigger && { baseImageTrigger: readBaseImage(baseImageTrigger) }),
    },
    sources: Object.fromEntries(tokens),
  };
}

export interface TriggerOptions {
  readonly checkLocation: AppOptions['checkLocation'];
  /** Milliseconds since the epoch: schedules must come again after it. */
  readonly now: number;
}
