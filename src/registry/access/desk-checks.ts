import { fail } from '../../domain/failure.ts';
import type { KeptPassword, PasswordName } from '../../domain/registry-access.ts';
import type { AuditAction } from './audit.ts';
import type { DeskParts } from './desk-parts.ts';
import { keyOf } from './record-sources.ts';
import type { AccessView } from './records-port.ts';

/** Most records of one kind: each is in memory. */
const mostRecords = 50_000;

/** Checks the name of a new record (5 to 50 letters, digits, `-` and `_`, as Azure has it). Throws `invalid-request`. */
export function checkName(what: string, name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_-]{4,49}$/.test(name)) return;
  throw fail('invalid-request', `"${name.slice(0, 100)}" cannot be the name of a ${what}`, {
    field: 'name',
    hint: '5 to 50 letters, digits, "-" and "_", beginning with a letter or digit',
  });
}

/** The failure of one who is not there. */
export function noSuch(what: string, name: string): Error {
  return fail('not-found', `there is no ${what} "${name.slice(0, 100)}"`);
}

/** Refuses one more where there are far too many. */
export function checkRoom(what: string, count: number): void {
  if (count >= mostRecords)
    throw fail('conflict', `there are ${String(mostRecords)} of kind "${what}", which is the most`);
}

/** Refuses a user name that somebody else logs in with. */
export function refuseTaken(
  view: AccessView,
  { name, isTaken }: { name: string; isTaken: DeskParts['isTaken'] },
  other: 'token' | 'service-principal',
): void {
  if (!isTaken(keyOf(name)) && view.get(other, keyOf(name)) === undefined) return;
  throw fail('conflict', `"${name}" is the user name of somebody else`, { field: 'name' });
}

/** The passwords that stay; all of them when nothing is said. */
export function keepPasswords(
  passwords: readonly KeptPassword[],
  names: readonly PasswordName[] | undefined,
): readonly KeptPassword[] {
  return names === undefined ? passwords : passwords.filter(({ name }) => names.includes(name));
}

/** Tells the audit of a change that was made. */
export function tell(
  { audit, clock }: Pick<DeskParts, 'audit' | 'clock'>,
  change: { who: string; action: AuditAction; name: string },
): void {
  audit({ time: new Date(clock.now()).toISOString(), ...change, result: 'done' });
}
