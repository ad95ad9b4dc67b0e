import { fail } from '../domain/failure.ts';
import { createBudget } from './budget.ts';
import { normalizeIfPossible } from './platform.ts';
import { platformArguments } from './platform-arguments.ts';
import { substitute, type Scope } from './substitution.ts';

/** Characters and comparisons that the variables of one file may cost. */
const maxWork = 4_000_000;
/** An image reference is far shorter, and so is a platform. */
const maxNameLength = 2048;

/** What gives the variables of a file their values. */
export interface GivenArguments {
  readonly arguments: Readonly<Record<string, string>>;
  readonly target?: string;
  /** `linux/amd64`: what is built, and on what. */
  readonly platform?: string;
  readonly buildPlatform?: string;
}

type Variable = { readonly value: string } | { readonly fault: unknown };

function evaluate(word: string, scope: Scope): Variable {
  try {
    return { value: substitute(word, scope) };
  } catch (fault) {
    return { fault };
  }
}

/**
 * What variables mean in a `FROM`: the platform's arguments, and the `ARG`s in front of the first one (`NAME`, `NAME=default`), which
 * given arguments override. One that cannot be worked out throws where it is used.
 */
export function readGlobals(globals: readonly string[], options: GivenArguments, escape: string): Scope {
  const { platform = 'linux/amd64', buildPlatform = platform, target, arguments: given } = options;
  const givenOf = (name: string): string | undefined => (Object.hasOwn(given, name) ? given[name] : undefined);
  const variables = new Map<string, Variable>();
  const valueOf = (name: string): string | undefined => {
    const known = variables.get(name);
    if (known === undefined || 'value' in known) return known?.value;
    throw known.fault;
  };
  const scope = { valueOf, escape, budget: createBudget(maxWork) };
  const automatic = platformArguments(normalizeIfPossible(platform), normalizeIfPossible(buildPlatform), target);
  for (const [name, value] of automatic) {
    variables.set(name, { value: givenOf(name) ?? value });
  }
  for (const text of globals) {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    const value = givenOf(name);
    if (value !== undefined) variables.set(name, { value });
    else if (at >= 0) variables.set(name, evaluate(text.slice(at + 1), scope));
  }
  return scope;
}

/** Fills in the variables of a name. @throws `invalid-request` when nothing is left of it, or it is no word. */
export function expandName(text: string, scope: Scope): string {
  if (text.length > maxNameLength) throw fail('invalid-request', 'it is too long for a name');
  const value = substitute(text, scope);
  if (value !== '') return value;
  throw fail('invalid-request', 'it comes to nothing: a variable in it has no value');
}
