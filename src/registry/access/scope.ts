import { actionsOfWord, scopeWords, type RegistryAction } from './actions.ts';
import type { Principal } from './principal.ts';

/** What a client asks to do: one scope of its request for a token. */
export interface Scope {
  readonly type: string;
  readonly name: string;
  /** In the words of the grammar; `*` for all there are. */
  readonly actions: readonly string[];
}

/** One entry of a token's `access` claim: what was granted. */
export type Grant = Scope;

const mostScopes = 256;

/**
 * Reads one scope: `type[(class)]:name:action[,action]`. The name may have a colon of its own (a registry's port), so it lies between
 * the first and the last one. Undefined for what is none.
 */
export function parseScope(text: string): Scope | undefined {
  const [first, last] = [text.indexOf(':'), text.lastIndexOf(':')];
  if (first <= 0 || last === first) return undefined;
  const type = text.slice(0, first).replace(/\([^()]*\)$/, '');
  const name = text.slice(first + 1, last);
  const actions = text
    .slice(last + 1)
    .split(',')
    .filter((action) => action !== '');
  return type === '' || name === '' || actions.length === 0 ? undefined : { type, name, actions };
}

/** The scopes of a request: several in one parameter, in several, or both. What is no scope is left out; undefined: far too many. */
export function parseScopes(parameters: readonly string[]): readonly Scope[] | undefined {
  const words = parameters.flatMap((parameter) => parameter.split(' ')).filter((word) => word !== '');
  if (words.length > mostScopes) return undefined;
  return words.map(parseScope).filter((scope) => scope !== undefined);
}

/** Azure's older Helm clients name charts as a type of their own; they lie in repositories all the same. */
function isRepository(type: string): boolean {
  return type === 'repository' || type === 'artifact-repository';
}

/** What concerns the whole registry is asked as `registry:catalog:*`, and `registry:manage:*` of our own. */
function wholeOf({ type, name }: Scope): 'catalog' | 'manage' | undefined {
  return type === 'registry' && (name === 'catalog' || name === 'manage') ? name : undefined;
}

/** True when the first that a word stands for is allowed: pushing, of pushing and overwriting. */
function allowsWord(principal: Pick<Principal, 'may'>, name: string, word: string): boolean {
  const [action] = actionsOfWord(word);
  return action !== undefined && principal.may(name, action);
}

function grant(principal: Pick<Principal, 'may'>, scope: Scope): Grant {
  const whole = wholeOf(scope);
  if (whole !== undefined) return { ...scope, actions: principal.may('*', whole) ? ['*'] : [] };
  if (!isRepository(scope.type)) return { ...scope, actions: [] };
  const asked = scope.actions.includes('*') ? scopeWords : [...new Set(scope.actions)];
  return { ...scope, actions: asked.filter((word) => allowsWord(principal, scope.name, word)) };
}

/** The part of what is asked that somebody may do; what is empty is left out. */
export function intersect(principal: Pick<Principal, 'may'>, scopes: readonly Scope[]): readonly Grant[] {
  return scopes.map((scope) => grant(principal, scope)).filter(({ actions }) => actions.length > 0);
}

/** True when a token's grants cover an action; a grant for the repository `*` covers all of them. */
export function covers(grants: readonly Grant[], repository: string, action: RegistryAction): boolean {
  if (action === 'catalog' || action === 'manage') return grants.some((one) => wholeOf(one) === action);
  return grants.some(
    ({ type, name, actions }) =>
      isRepository(type) &&
      (name === repository || name === '*') &&
      actions.some((word) => actionsOfWord(word).includes(action)),
  );
}
