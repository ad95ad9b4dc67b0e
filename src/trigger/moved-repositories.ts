import type { Clock } from '../domain/clock.ts';
import type { Egress } from '../egress/ports.ts';
import type { FindMoved } from './git-match.ts';

export interface MovedDeps {
  readonly egress: Pick<Egress, 'fetch'>;
  readonly clock: Clock;
}

const dayMs = 24 * 60 * 60_000;
/** A forge that did not answer is asked again sooner. */
const silenceMs = 10 * 60_000;
const mostKnown = 1000;
const question = '/info/refs?service=git-upload-pack';

interface Known {
  readonly url: string | undefined;
  readonly until: number;
}

/** Where the answer to a clone's first request sends git; undefined when it stays where it is. */
async function ask({ egress }: MovedDeps, base: string, token: string | undefined): Promise<string | undefined> {
  const login = token === undefined ? undefined : Buffer.from(`git:${token}`).toString('base64');
  const response = await egress.fetch(`${base}${question}`, {
    redirects: 'none',
    timeoutMs: 5000,
    maxBytes: 64 * 1024,
    field: 'repositoryUrl',
    ...(login !== undefined && base.startsWith('https://') && { headers: { authorization: `Basic ${login}` } }),
  });
  response.body.destroy();
  const location = [response.headers['location']].flat()[0];
  if (![301, 302, 307, 308].includes(response.status) || location === undefined) return undefined;
  const target = URL.canParse(location, base) ? new URL(location, base) : undefined;
  // Another host could say of itself what it likes.
  if (target?.origin !== new URL(base).origin || !target.pathname.endsWith('/info/refs')) return undefined;
  return `${target.origin}${target.pathname.slice(0, -'/info/refs'.length)}`;
}

/**
 * Makes the question where a repository that was renamed lies now: the forge redirects git from the old name, on the same host. Answers
 * are kept for a day.
 */
export function createFindMoved(deps: MovedDeps): FindMoved {
  const known = new Map<string, Known>();
  return async (repositoryUrl, token) => {
    const base = (repositoryUrl.split('#', 1)[0] ?? '').replace(/\/+$/, '');
    if (!/^https?:\/\//i.test(base)) return undefined;
    const now = deps.clock.now();
    const earlier = known.get(base);
    if (earlier !== undefined && earlier.until > now) return earlier.url;
    const answer = await ask(deps, base, token).then(
      (url) => ({ url, until: now + dayMs }),
      () => ({ url: undefined, until: now + silenceMs }),
    );
    known.delete(base);
    known.set(base, answer);
    for (const oldest of known.keys()) if (known.size > mostKnown) known.delete(oldest);
    return answer.url;
  };
}
