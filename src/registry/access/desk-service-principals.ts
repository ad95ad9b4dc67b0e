import { randomUUID } from 'node:crypto';
import { fail } from '../../domain/failure.ts';
import type {
  KeptPassword,
  RecordDesk,
  RoleAssignment,
  ServicePrincipal,
  ServicePrincipalBody,
} from '../../domain/registry-access.ts';
import type { DeskParts } from './desk-parts.ts';
import { checkName, checkRoom, keepPasswords, noSuch, refuseTaken, tell } from './desk-checks.ts';
import { isRepositoryPattern } from './pattern.ts';
import { keyOf } from './record-sources.ts';
import type { AccessView } from './records-port.ts';
import { hashChosenPassword } from './secrets.ts';

const mostAssignments = 100;
const shortestSecret = 16;

function checkAssignments(assignments: readonly RoleAssignment[]): readonly RoleAssignment[] {
  if (assignments.length > mostAssignments)
    throw fail('invalid-request', `there may be ${String(mostAssignments)} role assignments`, {
      field: 'properties.roleAssignments',
    });
  assignments.forEach(({ repositories }, index) => {
    if (isRepositoryPattern(repositories)) return;
    throw fail('invalid-request', `"${repositories.slice(0, 300)}" is neither a repository, nor prefix/*, nor *`, {
      field: `properties.roleAssignments[${index}].repositories`,
    });
  });
  return assignments;
}

async function makeSecret(secret: string, creationTime: string): Promise<KeptPassword> {
  if (secret.length < shortestSecret || secret.length > 1000)
    throw fail('invalid-request', `a secret that is chosen has ${String(shortestSecret)} to 1000 characters`, {
      field: 'properties.secret',
      hint: 'leave it out to have one made',
    });
  return { name: 'password1', id: randomUUID(), hash: await hashChosenPassword(secret), creationTime };
}

/** The part of the desk for service principals. */
export function createServicePrincipalDesk(parts: DeskParts): RecordDesk<ServicePrincipal, ServicePrincipalBody> {
  const { records, clock, isTaken } = parts;
  const now = (): string => new Date(clock.now()).toISOString();

  const begin = (view: AccessView, name: string): ServicePrincipal => {
    checkName('service principal', name);
    refuseTaken(view, { name, isTaken }, 'token');
    checkRoom('service principal', view.list('service-principal').length);
    return { name, status: 'enabled', roleAssignments: [], creationDate: now(), passwords: [] };
  };

  const write = async (name: string, body: ServicePrincipalBody, { who, makes }: { who: string; makes: boolean }) => {
    const secret = body.secret === undefined ? undefined : await makeSecret(body.secret, now());
    let made: ServicePrincipal | undefined;
    await records.change((view) => {
      const before = view.get('service-principal', keyOf(name)) ?? (makes ? begin(view, name) : undefined);
      if (before === undefined) throw noSuch('service principal', name);
      const kept = keepPasswords(before.passwords, body.passwords);
      const displayName = body.displayName ?? before.displayName;
      made = {
        ...before,
        ...(displayName !== undefined && { displayName }),
        status: body.status ?? before.status,
        roleAssignments: checkAssignments(body.roleAssignments ?? before.roleAssignments),
        passwords: secret === undefined ? kept : [secret, ...kept.filter((one) => one.name !== secret.name)],
      };
      return [{ kind: 'service-principal', name: keyOf(name), value: made }];
    }, who);
    if (made === undefined) throw noSuch('service principal', name);
    tell(parts, { who, action: 'write-service-principal', name: made.name });
    return made;
  };

  return {
    list: () => records.list('service-principal'),
    get: (name) => records.get('service-principal', keyOf(name)),
    put: (name, body, who) => write(name, body, { who, makes: true }),
    update: (name, body, who) => write(name, body, { who, makes: false }),
    delete: async (name, who) => {
      if (records.get('service-principal', keyOf(name)) === undefined) return false;
      await records.change(() => [{ kind: 'service-principal', name: keyOf(name), value: undefined }], who);
      tell(parts, { who, action: 'delete-service-principal', name });
      return true;
    },
  };
}
