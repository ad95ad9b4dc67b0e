import { fail } from '../../domain/failure.ts';
import type { AccessDesk, ScopeMap, ScopeMapBody } from '../../domain/registry-access.ts';
import type { DeskParts } from './desk-parts.ts';
import { checkName, checkRoom, noSuch, tell } from './desk-checks.ts';
import { findScopeMap, keyOf } from './record-sources.ts';
import type { AccessView } from './records-port.ts';
import { checkRules, systemScopeMaps } from './scope-map.ts';

const mostActions = 500;

function refuseSystem(name: string): void {
  if (!systemScopeMaps.some((map) => map.name === keyOf(name))) return;
  throw fail('conflict', `scope map "${name}" is part of the registry and cannot be changed`);
}

function checkActions(name: string, actions: readonly string[]): readonly string[] {
  if (actions.length === 0 || actions.length > mostActions)
    throw fail('invalid-request', `a scope map has 1 to ${String(mostActions)} actions`, {
      field: 'properties.actions',
    });
  checkRules(keyOf(name), actions);
  return [...new Set(actions)];
}

function refuseInUse(view: AccessView, name: string): void {
  const users = view.list('token').filter(({ scopeMap }) => keyOf(scopeMap) === keyOf(name));
  if (users.length === 0) return;
  const names = users.slice(0, 5).map((token) => token.name);
  throw fail('conflict', `scope map "${name}" is in use`, {
    hint: `delete these tokens first, or give them another one: ${names.join(', ')}${users.length > 5 ? ' …' : ''}`,
  });
}

/** The part of the desk for scope maps. */
export function createScopeMapDesk(parts: DeskParts): AccessDesk['scopeMaps'] {
  const { records, clock } = parts;

  const begin = (view: AccessView, name: string): ScopeMap => {
    checkName('scope map', name);
    checkRoom('scope map', view.list('scope-map').length);
    return { name, actions: [], type: 'UserDefined', creationDate: new Date(clock.now()).toISOString() };
  };

  const write = async (name: string, body: ScopeMapBody, { who, makes }: { who: string; makes: boolean }) => {
    refuseSystem(name);
    let made: ScopeMap | undefined;
    await records.change((view) => {
      const before = view.get('scope-map', keyOf(name)) ?? (makes ? begin(view, name) : undefined);
      if (before === undefined) throw noSuch('scope map', name);
      const { description } = body;
      const actions = checkActions(name, body.actions ?? before.actions);
      made = { ...before, ...(description !== undefined && { description }), actions };
      return [{ kind: 'scope-map', name: keyOf(name), value: made }];
    }, who);
    if (made === undefined) throw noSuch('scope map', name);
    tell(parts, { who, action: 'write-scope-map', name: made.name });
    return made;
  };

  return {
    list: () => [...systemScopeMaps, ...records.list('scope-map')],
    get: (name) => findScopeMap(records, name),
    put: (name, body, who) => write(name, body, { who, makes: true }),
    update: (name, body, who) => write(name, body, { who, makes: false }),
    delete: async (name, who) => {
      refuseSystem(name);
      if (records.get('scope-map', keyOf(name)) === undefined) return false;
      await records.change((view) => {
        refuseInUse(view, name);
        return [{ kind: 'scope-map', name: keyOf(name), value: undefined }];
      }, who);
      tell(parts, { who, action: 'delete-scope-map', name });
      return true;
    },
  };
}
