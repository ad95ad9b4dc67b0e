import type { NewPassword, PasswordName, PasswordOrder, RoleAssignment } from '../domain/registry-access.ts';
import { callApi, readJson, type ApiTarget } from './api-call.ts';

/** A document of the API: its name, and what it is. */
export interface AccessDocument<Properties> {
  readonly id: string;
  readonly name: string;
  readonly properties: Properties;
}

interface Credentials {
  readonly passwords: readonly Omit<NewPassword, 'value'>[];
}

export type ScopeMapView = AccessDocument<{
  readonly description?: string;
  readonly actions: readonly string[];
  readonly type: string;
  readonly creationDate: string;
}>;

export type TokenView = AccessDocument<{
  readonly scopeMapId: string;
  readonly status: string;
  readonly creationDate: string;
  readonly credentials: Credentials;
}>;

export type ServicePrincipalView = AccessDocument<{
  readonly displayName?: string;
  readonly status: string;
  readonly roleAssignments: readonly RoleAssignment[];
  readonly creationDate: string;
  readonly credentials: Credentials;
}>;

/** A user name with passwords that are shown this once. */
export interface GeneratedView {
  readonly username: string;
  readonly passwords: readonly NewPassword[];
}

/** The admin account as the API shows it. */
export interface AdminCredentialView {
  readonly username: string;
  readonly passwords: readonly { readonly name: string; readonly value: string }[];
}

/** The calls that concern one kind of records. */
export interface RecordCalls<View> {
  list(): Promise<readonly View[]>;
  get(name: string): Promise<View>;
  /** The `properties` of the document; what they leave out stays. */
  put(name: string, properties: object): Promise<View>;
  patch(name: string, properties: object): Promise<View>;
  delete(name: string): Promise<void>;
}

/** The calls that concern who may do what at the registry. */
export interface AccessCalls {
  readonly scopeMaps: RecordCalls<ScopeMapView>;
  readonly tokens: RecordCalls<TokenView>;
  readonly servicePrincipals: RecordCalls<ServicePrincipalView>;
  generatePasswords(kind: 'token' | 'service-principal', name: string, order: PasswordOrder): Promise<GeneratedView>;
  adminCredential(): Promise<AdminCredentialView>;
  renewAdminPassword(name: 'password' | 'password2'): Promise<AdminCredentialView>;
}

/** The passwords that stay when these are deleted. */
export function withoutPasswords(view: { readonly credentials: Credentials }, names: readonly PasswordName[]): object {
  const passwords = view.credentials.passwords.filter(({ name }) => !names.includes(name));
  return { credentials: { passwords } };
}

function createRecordCalls<View>(target: ApiTarget, root: string): RecordCalls<View> {
  const pathOf = (name: string): string => `${root}/${encodeURIComponent(name)}`;
  const write = async (method: 'PUT' | 'PATCH', name: string, properties: object): Promise<View> =>
    (await readJson(target, { method, path: pathOf(name), body: { properties }, repeat: 'broken' })) as View;
  return {
    list: async () => {
      const document = await readJson(target, { method: 'GET', path: root, repeat: 'broken' });
      return (document as { readonly value?: readonly View[] } | null)?.value ?? [];
    },
    get: async (name) => (await readJson(target, { method: 'GET', path: pathOf(name), repeat: 'broken' })) as View,
    put: (name, properties) => write('PUT', name, properties),
    patch: (name, properties) => write('PATCH', name, properties),
    delete: async (name) => {
      const response = await callApi(target, { method: 'DELETE', path: pathOf(name), repeat: 'never' });
      await response.arrayBuffer();
    },
  };
}

/** Makes the calls that concern who may do what at the registry. */
export function createAccessCalls(target: ApiTarget): AccessCalls {
  // Never repeated: a second try of what has been done would make other passwords.
  const post = (path: string, body: object = {}): Promise<unknown> =>
    readJson(target, { method: 'POST', path, body, repeat: 'never' });
  return {
    scopeMaps: createRecordCalls<ScopeMapView>(target, '/scopeMaps'),
    tokens: createRecordCalls<TokenView>(target, '/tokens'),
    servicePrincipals: createRecordCalls<ServicePrincipalView>(target, '/servicePrincipals'),
    generatePasswords: async (kind, name, order) => {
      const path = `/servicePrincipals/${encodeURIComponent(name)}/generateCredentials`;
      const made = kind === 'token' ? post('/generateCredentials', { tokenId: name, ...order }) : post(path, order);
      return (await made) as GeneratedView;
    },
    adminCredential: async () => (await post('/listCredentials')) as AdminCredentialView,
    renewAdminPassword: async (name) => (await post('/regenerateCredential', { name })) as AdminCredentialView,
  };
}
