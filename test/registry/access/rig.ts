import { expect } from 'vitest';
import type { AuditEntry } from '../../../src/registry/access/audit.ts';
import type { RegistryOptions } from '../../../src/registry/options.ts';
import { startRegistry, type RunningRegistry } from '../rig.ts';

export const testKey = Buffer.alloc(32, 3);

/** The user name that says: the password is a refresh token. */
export const nobodyUser = '00000000-0000-0000-0000-000000000000';

interface Issued {
  readonly token: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
}

/** What the token service answers when it is content. */
export async function read(answer: Response): Promise<Issued> {
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return (await answer.json()) as Issued;
}

/** A registry with what a client of its token service does. */
export interface AccessRig extends RunningRegistry {
  readonly audit: AuditEntry[];
  ask(method: string, path: string, authorization?: string, body?: string): Promise<Response>;
  /** Posts a form. */
  post(path: string, fields: Record<string, string>): Promise<Response>;
  /** Makes a token of the registry with a scope map of its own; its password. */
  makeToken(name: string, ...actions: string[]): Promise<string>;
}

export async function startAccessRig(options: Partial<RegistryOptions> = {}): Promise<AccessRig> {
  const audit: AuditEntry[] = [];
  const running = await startRegistry({ key: testKey, audit: (entry) => void audit.push(entry), ...options });
  const ask: AccessRig['ask'] = (method, path, authorization, body) =>
    fetch(running.url + path, {
      method,
      headers: { ...(authorization !== undefined && { authorization }) },
      ...(body !== undefined && { body }),
    });
  const post: AccessRig['post'] = (path, fields) =>
    fetch(running.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
  const makeToken: AccessRig['makeToken'] = async (name, ...actions) => {
    const { accessDesk: desk } = running.registry;
    await desk.scopeMaps.put(`${name}-map`, { actions }, 'ada');
    await desk.tokens.put(name, { scopeMap: `${name}-map` }, 'ada');
    const [made] = await desk.tokens.generate(name, { name: 'password1' }, 'ada');
    return made!.value;
  };
  return { ...running, audit, ask, post, makeToken };
}

/** As docker does it: the challenge says where and what for, the password goes there, the token goes back. */
export async function followChallenge(refused: Response, authorization?: string): Promise<string> {
  expect(refused.status).toBe(401);
  const challenge = refused.headers.get('www-authenticate') ?? '';
  const { realm, service, scope } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  ) as Partial<Record<string, string>>;
  const url = new URL(realm ?? '');
  url.searchParams.set('service', service ?? '');
  for (const one of scope?.split(' ') ?? []) url.searchParams.append('scope', one);
  const { token } = await read(
    await fetch(url, { headers: { ...(authorization !== undefined && { authorization }) } }),
  );
  return `Bearer ${token}`;
}
