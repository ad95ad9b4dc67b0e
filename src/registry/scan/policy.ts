import { parseImageReference } from '../../domain/image-reference.ts';
import { fail } from '../../domain/failure.ts';
import type { ScanPolicy, ScanRule } from '../../domain/registry-scan.ts';
import { isTaskName } from '../../domain/task.ts';
import { parseQuarantineRule } from '../../trust/quarantine.ts';
import { isRepositoryPattern } from '../access/pattern.ts';

const fields = ['repositories', 'image', 'arguments', 'task', 'timeout', 'failOn', 'quarantine'];
const [shortest, longest, usual] = [300, 28_800, 1800];
const [mostPatterns, mostArguments] = [100, 8192];

type Body = Readonly<Record<string, unknown>>;

function refuse(field: string, what: string): Error {
  return fail('invalid-request', `${field}: ${what}`, { field });
}

function readRepositories({ repositories }: Body): readonly string[] {
  if (!Array.isArray(repositories) || repositories.length === 0 || repositories.length > mostPatterns)
    throw refuse('repositories', `give 1 to ${String(mostPatterns)} repositories: names, prefix/* or *`);
  const texts = repositories as readonly unknown[];
  texts.forEach((text, at) => {
    if (typeof text === 'string' && isRepositoryPattern(text)) return;
    throw refuse(`repositories[${String(at)}]`, 'a repository is named as team/app, team/* or *');
  });
  return [...new Set(texts as readonly string[])];
}

function readImage({ image, arguments: words = '' }: Body): ScanPolicy['scanner'] {
  if (typeof image !== 'string') throw refuse('image', 'give the image that scans, or the name of a task');
  parseImageReference(image);
  if (typeof words !== 'string' || words.length > mostArguments)
    throw refuse('arguments', `give a text of at most ${String(mostArguments)} characters`);
  return { image, arguments: words };
}

function readScanner(body: Body): ScanPolicy['scanner'] {
  const { task } = body;
  if (task === undefined) return readImage(body);
  if (typeof task !== 'string' || !isTaskName(task)) throw refuse('task', 'this is no name of a task');
  for (const field of ['image', 'arguments'])
    if (body[field] !== undefined) throw refuse(field, 'the task says what is run: give an image or a task');
  return { task };
}

function readTimeout({ timeout = usual }: Body): number {
  if (typeof timeout === 'number' && Number.isSafeInteger(timeout) && timeout >= shortest && timeout <= longest)
    return timeout;
  throw refuse('timeout', `give a number of seconds from ${String(shortest)} to ${String(longest)}`);
}

function readRule({ failOn }: Body): { readonly failOn?: ScanRule } {
  if (failOn === undefined) return {};
  try {
    return { failOn: parseQuarantineRule(failOn) };
  } catch (cause) {
    throw refuse('failOn', cause instanceof Error ? cause.message : 'this is no rule');
  }
}

/**
 * Reads a scan policy from JSON: `{repositories, image, arguments | task, timeout, failOn: {critical: 1}, quarantine}`.
 * @throws `invalid-request` naming the field.
 */
export function parseScanPolicy(body: Body, now: string): ScanPolicy {
  const unknown = Object.keys(body).find((name) => !fields.includes(name));
  if (unknown !== undefined)
    throw refuse(unknown.slice(0, 80), `a scan policy has no such field; it has ${fields.join(', ')}`);
  const { quarantine = false } = body;
  if (typeof quarantine !== 'boolean') throw refuse('quarantine', 'give true or false');
  const rule = readRule(body);
  if (quarantine && rule.failOn === undefined)
    throw refuse('failOn', 'what decides about the quarantine needs a limit, for example {"critical": 1}');
  return {
    repositories: readRepositories(body),
    scanner: readScanner(body),
    timeout: readTimeout(body),
    ...rule,
    ...{ quarantine, updatedTime: now },
  };
}
