import { fail } from '../../domain/failure.ts';
import {
  anonymousScopeMap,
  scopeMapActions,
  type ScopeMap,
  type ScopeMapAction,
} from '../../domain/registry-access.ts';
import { actionsOfScopeMap, type RegistryAction } from './actions.ts';
import { isRepositoryPattern, matchesPattern } from './pattern.ts';

/** One right of a scope map. */
export interface Rule {
  /** A repository, `prefix/*` or `*`. */
  readonly pattern: string;
  readonly action: ScopeMapAction;
}

/** Reads `repositories/<pattern>/<action>`; undefined for what is none. */
export function parseRule(text: string): Rule | undefined {
  const [, pattern = '', word] = /^repositories\/(.+)\/([a-z]+\/[a-z]+)$/.exec(text) ?? [];
  const action = scopeMapActions.find((one) => one === word);
  return action !== undefined && isRepositoryPattern(pattern) ? { pattern, action } : undefined;
}

/**
 * Checks the actions of a scope map that is being written.
 * @throws `invalid-request` naming the first that is wrong.
 */
export function checkRules(name: string, actions: readonly string[]): void {
  actions.forEach((text, index) => {
    const field = `properties.actions[${index}]`;
    const rule = parseRule(text);
    if (rule === undefined)
      throw fail('invalid-request', `"${text.slice(0, 300)}" is no action of a scope map`, {
        field,
        hint: `repositories/REPOSITORY/ACTION, where REPOSITORY may be team/* or *, and ACTION is one of ${scopeMapActions.join(', ')}`,
      });
    if (name === anonymousScopeMap && !rule.action.endsWith('/read'))
      throw fail('invalid-request', 'those who give no credentials can be allowed to read, and nothing else', {
        field,
      });
  });
}

type May = (repository: string, action: RegistryAction) => boolean;
const compiled = new WeakMap<ScopeMap, May>();

/** What a scope map allows. Read once for each version of a map. */
export function allowScopeMap(map: ScopeMap): May {
  const known = compiled.get(map);
  if (known) return known;
  const rules = map.actions.map(parseRule).filter((rule) => rule !== undefined);
  const may: May = (repository, action) =>
    rules.some((rule) => actionsOfScopeMap[rule.action].includes(action) && matchesPattern(rule.pattern, repository));
  compiled.set(map, may);
  return may;
}

function systemMap(name: string, description: string, actions: readonly ScopeMapAction[]): ScopeMap {
  return {
    name,
    description,
    actions: actions.map((action) => `repositories/*/${action}`),
    type: 'SystemDefined',
    creationDate: '2020-01-01T00:00:00.000Z',
  };
}

/** The scope maps that are always there and stay as they are. */
export const systemScopeMaps: readonly ScopeMap[] = [
  systemMap(
    '_repositories_admin',
    'Can perform all read, write and delete operations on the registry',
    scopeMapActions,
  ),
  systemMap('_repositories_pull', 'Can pull any repository of the registry', ['content/read']),
  systemMap('_repositories_pull_metadata_read', 'Can pull and read metadata of any repository of the registry', [
    'content/read',
    'metadata/read',
  ]),
  systemMap('_repositories_push', 'Can push to any repository of the registry', ['content/read', 'content/write']),
  systemMap('_repositories_push_metadata_write', 'Can push to any repository of the registry and write metadata', [
    'content/read',
    'content/write',
    'metadata/read',
    'metadata/write',
  ]),
];
