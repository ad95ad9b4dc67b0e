import { randomUUID } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { fail } from '../../domain/failure.ts';
import {
  passwordNames,
  type KeptPassword,
  type NewPassword,
  type PasswordOrder,
} from '../../domain/registry-access.ts';
import type { DeskParts } from './desk-parts.ts';
import { noSuch, tell } from './desk-checks.ts';
import { keyOf } from './record-sources.ts';
import type { AccessChange, AccessView } from './records-port.ts';
import { hashPassword, makePassword } from './secrets.ts';

type HolderKind = 'token' | 'service-principal';

/** Makes passwords of tokens and service principals. */
export interface PasswordDesk {
  /** Makes one or both; each takes the place of the one of its name. Rejects with `not-found`, or `invalid-request` for its expiry. */
  generate(
    kind: HolderKind,
    name: string,
    order: PasswordOrder & { readonly who: string },
  ): Promise<readonly NewPassword[]>;
}

function checkExpiry(expiry: string | undefined, clock: Clock): string | undefined {
  if (expiry === undefined) return undefined;
  const at = Date.parse(expiry);
  if (at > clock.now()) return new Date(at).toISOString();
  throw fail('invalid-request', 'expiry must be a time that is still to come', {
    field: 'expiry',
    hint: 'such as 2027-01-31T00:00:00Z',
  });
}

function replace(
  view: AccessView,
  { kind, name }: { kind: HolderKind; name: string },
  made: readonly KeptPassword[],
): AccessChange {
  const merge = (before: readonly KeptPassword[]): readonly KeptPassword[] =>
    [...before.filter((old) => !made.some((one) => one.name === old.name)), ...made].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  if (kind === 'token') {
    const token = view.get(kind, keyOf(name));
    if (token === undefined) throw noSuch('token', name);
    return { kind, name: keyOf(name), value: { ...token, passwords: merge(token.passwords) } };
  }
  const principal = view.get(kind, keyOf(name));
  if (principal === undefined) throw noSuch('service principal', name);
  return { kind, name: keyOf(name), value: { ...principal, passwords: merge(principal.passwords) } };
}

/** Makes the part of the desk for passwords. */
export function createPasswordDesk(parts: DeskParts): PasswordDesk {
  const { records, clock } = parts;
  return {
    generate: async (kind, holder, { name: which, expiry: asked, who }) => {
      const expiry = checkExpiry(asked, clock);
      const creationTime = new Date(clock.now()).toISOString();
      const names = which === undefined ? passwordNames : [which];
      const made = names.map((name): NewPassword => {
        return { name, value: makePassword(), creationTime, ...(expiry !== undefined && { expiry }) };
      });
      const kept = made.map(({ value, ...rest }) => ({ ...rest, id: randomUUID(), hash: hashPassword(value) }));
      await records.change((view) => [replace(view, { kind, name: holder }, kept)], who);
      for (const { name } of made) tell(parts, { who, action: 'generate-password', name: `${holder}/${name}` });
      return made;
    },
  };
}
