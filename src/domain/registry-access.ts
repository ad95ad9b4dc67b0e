/**
 * Who may do what at the registry, as it is kept and shown: scope maps, tokens and service principals, in the words of Azure Container
 * Registry. Times are ISO 8601. Passwords are kept as hashes (`src/registry/access/secrets.ts`).
 */

/** What a scope map can allow of repositories. */
export const scopeMapActions = [
  'content/read',
  'content/write',
  'content/delete',
  'metadata/read',
  'metadata/write',
] as const;

export type ScopeMapAction = (typeof scopeMapActions)[number];

/** The scope map that says what those may do who give no credentials; it does not exist until somebody makes it. */
export const anonymousScopeMap = 'anonymous';

/** A named list of rights. */
export interface ScopeMap {
  readonly name: string;
  readonly description?: string;
  /** `repositories/<pattern>/<action>`; a pattern is a repository, `prefix/*` or `*`. */
  readonly actions: readonly string[];
  readonly type: 'UserDefined' | 'SystemDefined';
  readonly creationDate: string;
}

/** Which of its two passwords. */
export type PasswordName = 'password1' | 'password2';
export const passwordNames: readonly PasswordName[] = ['password1', 'password2'];

/** A password of a token or service principal as it is kept. */
export interface KeptPassword {
  readonly name: PasswordName;
  /** Another one with each password that is made: what was issued for an older one is over. */
  readonly id: string;
  readonly hash: string;
  readonly creationTime: string;
  readonly expiry?: string;
}

/** A password as it is shown once, when it has been made. */
export interface NewPassword extends Omit<KeptPassword, 'id' | 'hash'> {
  readonly value: string;
}

export type AccessStatus = 'enabled' | 'disabled';

/** A name and up to two passwords that may do what one scope map allows. */
export interface RegistryToken {
  readonly name: string;
  readonly status: AccessStatus;
  /** Name of the scope map. */
  readonly scopeMap: string;
  readonly creationDate: string;
  readonly passwords: readonly KeptPassword[];
}

/** The built-in roles. */
export const registryRoles = [
  'AcrPull',
  'AcrPush',
  'AcrDelete',
  'AcrImageSigner',
  'AcrQuarantineReader',
  'AcrQuarantineWriter',
  'Reader',
  'Contributor',
  'Owner',
  'Repository Reader',
  'Repository Writer',
  'Repository Contributor',
  'Catalog Lister',
] as const;

export type RegistryRole = (typeof registryRoles)[number];

/** A role for the whole registry (`*`), or for the repositories of a pattern. */
export interface RoleAssignment {
  readonly role: RegistryRole;
  readonly repositories: string;
}

/** A program that logs in with a name and password and has roles. */
export interface ServicePrincipal {
  readonly name: string;
  readonly displayName?: string;
  readonly status: AccessStatus;
  readonly roleAssignments: readonly RoleAssignment[];
  readonly creationDate: string;
  readonly passwords: readonly KeptPassword[];
}

/** Which passwords to make, and until when they are good; both, and for ever, when it does not say. */
export interface PasswordOrder {
  readonly name?: PasswordName;
  readonly expiry?: string;
}

/** What is written of a scope map. */
export interface ScopeMapBody {
  readonly description?: string;
  readonly actions?: readonly string[];
}

/** What is written of a token; `passwords`: those that stay, the others end. */
export interface TokenBody {
  readonly scopeMap?: string;
  readonly status?: AccessStatus;
  readonly passwords?: readonly PasswordName[];
}

/** What is written of a service principal. `secret`: a first password that somebody chose. */
export interface ServicePrincipalBody extends Omit<TokenBody, 'scopeMap'> {
  readonly displayName?: string;
  readonly roleAssignments?: readonly RoleAssignment[];
  readonly secret?: string;
}

/** Where records of one kind are looked after. `who` is whoever does it. */
export interface RecordDesk<Kept, Body> {
  /** By name; from memory. */
  list(): readonly Kept[];
  get(name: string): Kept | undefined;
  /** Makes one, or changes the one that is there. Rejects with `invalid-request` or `conflict`. */
  put(name: string, body: Body, who: string): Promise<Kept>;
  /** The same, but rejects with `not-found` where there is none. What it is not told of stays as it is. */
  update(name: string, body: Body, who: string): Promise<Kept>;
  /** False: there was none. */
  delete(name: string, who: string): Promise<boolean>;
}

/** Where passwords of one kind of record are made. */
export interface PasswordMaker {
  /** Makes passwords; those of the same name end. Rejects with `not-found` or `invalid-request`. */
  generate(name: string, order: PasswordOrder, who: string): Promise<readonly NewPassword[]>;
}

/** Where scope maps, tokens and service principals are looked after. Each change is told to the audit. */
export interface AccessDesk {
  readonly scopeMaps: RecordDesk<ScopeMap, ScopeMapBody>;
  readonly tokens: RecordDesk<RegistryToken, TokenBody> & PasswordMaker;
  readonly servicePrincipals: RecordDesk<ServicePrincipal, ServicePrincipalBody> & PasswordMaker;
}
