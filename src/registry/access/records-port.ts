import type { RegistryToken, ScopeMap, ServicePrincipal } from '../../domain/registry-access.ts';

/** Kinds of records of access, and what each holds. */
export interface AccessRecordOf {
  readonly 'scope-map': ScopeMap;
  readonly token: RegistryToken;
  readonly 'service-principal': ServicePrincipal;
}

export type AccessKind = keyof AccessRecordOf;

/** What can be read of the records at one moment. */
export interface AccessView {
  /** From memory. Undefined: there is none. The same object until the record changes. */
  get<K extends AccessKind>(kind: K, name: string): AccessRecordOf[K] | undefined;
  /** All of a kind by name in ascending order. */
  list<K extends AccessKind>(kind: K): readonly AccessRecordOf[K][];
}

/** One record to be put in the place of what is there; without a value it goes. */
export type AccessChange = {
  [K in AccessKind]: { readonly kind: K; readonly name: string; readonly value: AccessRecordOf[K] | undefined };
}[AccessKind];

/** Small JSON documents that say who may do what. Names are keys in lower case. */
export interface AccessRecords extends AccessView {
  /**
   * Makes changes together, or none: durable, and seen by everybody, when it resolves. `decide` is a pure function of what it is shown;
   * it runs again when another process was first. What it throws rejects this. Rejects with `storage-unavailable`.
   */
  change(decide: (view: AccessView) => readonly AccessChange[], by: string): Promise<void>;
}
