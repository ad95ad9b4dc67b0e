import { RE2JS, RE2JSException } from 're2js';
import { fail } from '../../domain/failure.ts';

/** Which tags of which repositories. */
export interface PurgeFilter {
  matchesRepository(name: string): boolean;
  matchesTag(tag: string): boolean;
}

const mostCharacters = 1000;

function compile(pattern: string, field: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw fail('invalid-request', `${field}: ${error.message}`, {
      field,
      hint: 'the syntax is RE2: no look-around, no back-references',
    });
  }
}

/** Where the colons are that stand for themselves: not in `(?:`, not in `[…]`, not escaped. */
function findColons(text: string): number[] {
  const found: number[] = [];
  let inClass = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '\\') at += 1;
    else if (inClass) {
      const named = /^\[:\^?[a-z]+:\]/.exec(text.slice(at, at + 16));
      if (named !== null) at += named[0].length - 1;
      else inClass = sign !== ']';
    } else if (sign === '[') {
      inClass = true;
      if (/^\^?\]/.test(text.slice(at + 1, at + 3))) at += text[at + 1] === '^' ? 2 : 1;
    } else if (sign === ':' && !/\(\?[imsU-]{0,5}$/.test(text.slice(0, at))) found.push(at);
  }
  return found;
}

/**
 * Reads `repository-expression:tag-expression`, as `acr purge` has it: the first matches a repository's whole name, the second any part of
 * a tag. @throws `invalid-request` that names `field`.
 */
export function parsePurgeFilter(text: string, field: string): PurgeFilter {
  const [colon, more] = findColons(text);
  const [repository, tag] = [text.slice(0, colon ?? 0), text.slice((colon ?? text.length) + 1)];
  if (text.length > mostCharacters || more !== undefined || repository === '' || tag === '') {
    throw fail('invalid-request', `${field} must be an expression for repositories, a colon, and one for tags`, {
      field,
      hint: "for example 'team/app:^pr-'; '.*:.*' is everything",
    });
  }
  const names = compile(`^(?:${repository})$`, field);
  const tags = compile(tag, field);
  return {
    matchesRepository: (name) => names.matcher(name).find(),
    matchesTag: (one) => tags.matcher(one).find(),
  };
}
