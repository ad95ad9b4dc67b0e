import type { RegistryAction } from './actions.ts';

/** Somebody known. */
export interface Principal {
  /** Written into records and events (`by`). */
  readonly name: string;
  may(repository: string, action: RegistryAction): boolean;
  /** True: a tag stays where it is when what is pushed to it is the same image but for times. */
  readonly keepsSame?: boolean;
}

/**
 * A credential that somebody logged in with, without its secret: what a token is issued for. `credential` names the very password, so
 * that the token ends with it.
 */
export interface Subject {
  /** The source that knows it: `admin`, `token`, `run` … */
  readonly kind: string;
  readonly name: string;
  readonly credential: string;
}

type Maybe<T> = Promise<T | undefined> | T | undefined;

/** One kind of those who may log in. */
export interface PrincipalSource {
  /** Its subjects have this kind. No two sources share one. */
  readonly kind: string;
  /** True for a user name (in lower case) that nobody else may have. */
  owns?(username: string): boolean;
  /** True for a user name whose passwords are signed texts that nobody can guess: failed logins with it are not slowed down. */
  isSigned?(username: string): boolean;
  /** Whose name and password these are; undefined: they are not of this source, or wrong. */
  login(username: string, password: string): Maybe<Subject>;
  /**
   * Who a subject is now; undefined once the credential is not good any more. Asked at every use of what was issued for it, and so
   * answered from memory, or from a cache of at most a second.
   */
  find(subject: Subject): Maybe<Principal>;
}
