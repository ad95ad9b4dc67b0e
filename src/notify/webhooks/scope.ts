import type { RegistryEvent } from '../../domain/event.ts';

/** What of the registry a webhook is told of; `*` stands for any characters. */
export interface Scope {
  /** Absent: every repository. */
  readonly repository?: string;
  /** Absent: every tag, and what has none. */
  readonly tag?: string;
}

const repositoryPattern = /^[a-z0-9*][a-z0-9._\-/*]{0,254}$/;
const tagPattern = /^[A-Za-z0-9_*][A-Za-z0-9._\-*]{0,127}$/;

/**
 * Reads a scope as Azure Container Registry has it: '' is everything, `repository:*` all of a repository, `repository:tag` one tag, and
 * `repository` alone its tag `latest`. Ours: `*` anywhere, as in `team/*:v*`. Undefined for what is none.
 */
export function parseScope(text: string): Scope | undefined {
  if (text === '') return {};
  const at = text.indexOf(':');
  const [repository, tag] = at < 0 ? [text, 'latest'] : [text.slice(0, at), text.slice(at + 1)];
  if (!repositoryPattern.test(repository) || !tagPattern.test(tag)) return undefined;
  return { repository, ...(tag !== '*' && { tag }) };
}

/** Takes time in proportion to the lengths of both, whatever the pattern. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function tagsOf(event: RegistryEvent): readonly string[] {
  if (event.kind === 'delete') return event.tags ?? [];
  return event.tag === undefined ? [] : [event.tag];
}

/** True when an event is of the scope. A deleted manifest is of the scopes of the tags that have gone with it. */
export function isInScope({ repository, tag }: Scope, event: RegistryEvent): boolean {
  if (repository === undefined) return true;
  if (!matches(repository, event.repository)) return false;
  return tag === undefined || tagsOf(event).some((one) => matches(tag, one));
}
