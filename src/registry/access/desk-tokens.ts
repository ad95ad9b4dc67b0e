import { fail } from '../../domain/failure.ts';
import type { RecordDesk, RegistryToken, TokenBody } from '../../domain/registry-access.ts';
import type { DeskParts } from './desk-parts.ts';
import { checkName, checkRoom, keepPasswords, noSuch, refuseTaken, tell } from './desk-checks.ts';
import { findScopeMap, keyOf } from './record-sources.ts';
import type { AccessView } from './records-port.ts';

/** The part of the desk for tokens. */
export function createTokenDesk(parts: DeskParts): RecordDesk<RegistryToken, TokenBody> {
  const { records, clock, isTaken } = parts;

  const begin = (view: AccessView, name: string): RegistryToken => {
    checkName('token', name);
    refuseTaken(view, { name, isTaken }, 'service-principal');
    checkRoom('token', view.list('token').length);
    const creationDate = new Date(clock.now()).toISOString();
    return { name, status: 'enabled', scopeMap: '', creationDate, passwords: [] };
  };

  const write = async (name: string, body: TokenBody, { who, makes }: { who: string; makes: boolean }) => {
    let made: RegistryToken | undefined;
    await records.change((view) => {
      const before = view.get('token', keyOf(name)) ?? (makes ? begin(view, name) : undefined);
      if (before === undefined) throw noSuch('token', name);
      const map = findScopeMap(view, body.scopeMap ?? before.scopeMap);
      if (map === undefined)
        throw fail('invalid-request', `there is no scope map "${body.scopeMap ?? ''}"`, {
          field: 'properties.scopeMapId',
          hint: 'slipway scope-map list shows them',
        });
      made = {
        ...before,
        scopeMap: map.name,
        status: body.status ?? before.status,
        passwords: keepPasswords(before.passwords, body.passwords),
      };
      return [{ kind: 'token', name: keyOf(name), value: made }];
    }, who);
    if (made === undefined) throw noSuch('token', name);
    tell(parts, { who, action: 'write-token', name: made.name });
    return made;
  };

  return {
    list: () => records.list('token'),
    get: (name) => records.get('token', keyOf(name)),
    put: (name, body, who) => write(name, body, { who, makes: true }),
    update: (name, body, who) => write(name, body, { who, makes: false }),
    delete: async (name, who) => {
      if (records.get('token', keyOf(name)) === undefined) return false;
      await records.change(() => [{ kind: 'token', name: keyOf(name), value: undefined }], who);
      tell(parts, { who, action: 'delete-token', name });
      return true;
    },
  };
}
