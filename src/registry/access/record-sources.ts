import type { Clock } from '../../domain/clock.ts';
import { anonymousScopeMap, type ScopeMap } from '../../domain/registry-access.ts';
import type { RegistryAction } from './actions.ts';
import { createPasswordSource } from './password-source.ts';
import type { PrincipalSource } from './principal.ts';
import type { AccessView } from './records-port.ts';
import { allowRoles } from './roles.ts';
import { allowScopeMap, systemScopeMaps } from './scope-map.ts';

/** The key of a record: names differ in more than their case. */
export function keyOf(name: string): string {
  return name.toLowerCase();
}

/** A scope map by name, those of the system included. */
export function findScopeMap(records: AccessView, name: string): ScopeMap | undefined {
  const key = keyOf(name);
  return systemScopeMaps.find((map) => map.name === key) ?? records.get('scope-map', key);
}

/** Those who have records: tokens with their scope maps, and service principals with their roles. */
export function createRecordSources(records: AccessView, clock: Clock): readonly PrincipalSource[] {
  return [
    createPasswordSource({
      kind: 'token',
      clock,
      record: (name) => records.get('token', keyOf(name)),
      may: ({ scopeMap }) => {
        const map = findScopeMap(records, scopeMap);
        return map && allowScopeMap(map);
      },
    }),
    createPasswordSource({
      kind: 'service-principal',
      clock,
      record: (name) => records.get('service-principal', keyOf(name)),
      may: ({ roleAssignments }) => allowRoles(roleAssignments),
    }),
  ];
}

/** What those may do who give no credentials. */
export interface Anonymous {
  readonly may: (repository: string, action: RegistryAction) => boolean;
  /** False: nothing at all. */
  readonly exists: () => boolean;
}

/**
 * Those who give no credentials pull everywhere where the setting says so; else they do what the scope map `anonymous` says, if there is
 * one; never more than read.
 */
export function createAnonymous(records: AccessView, pullsAll: boolean): Anonymous {
  const find = (): ScopeMap | undefined => records.get('scope-map', anonymousScopeMap);
  return {
    exists: () => pullsAll || find() !== undefined,
    may: (repository, action) => {
      if (action !== 'pull' && action !== 'metadata-read') return false;
      if (pullsAll) return true;
      const map = find();
      return map !== undefined && allowScopeMap(map)(repository, action);
    },
  };
}
