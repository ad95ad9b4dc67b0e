/** A credential as an operator gives it: in the clear, or as a file that is read each time it is needed, so that it may change. */
export type GivenSecret = { readonly value: string } | { readonly file: string };

/** How secrets in Azure Key Vaults are come by. */
export interface AzureVaultSettings {
  /** A service principal; undefined: none. */
  readonly client?: { readonly tenantId: string; readonly clientId: string; readonly secret: GivenSecret } | undefined;
  /** URL of the token authority; undefined: that of the cloud the vault is in. */
  readonly authority?: string | undefined;
  /** Whether the machine's own identity is used, and the user-assigned ones that secrets name by `clientID`. */
  readonly managedIdentity: boolean;
  /** URLs of servers that are taken for key vaults besides those of Azure: `https://vault.corp.example`. */
  readonly servers: readonly string[];
}

/** How secrets of a HashiCorp Vault, or of what has the same API, are come by. */
export interface HashicorpVaultSettings {
  /** `https://vault.corp.example:8200`, without a slash at the end. */
  readonly address: string;
  readonly namespace?: string | undefined;
  readonly login:
    | { readonly kind: 'token'; readonly token: GivenSecret }
    | { readonly kind: 'approle'; readonly roleId: string; readonly secretId: GivenSecret };
}

/** The vaults that an installation may ask; undefined: none of the kind. */
export interface VaultSettings {
  readonly azure?: AzureVaultSettings | undefined;
  readonly hashicorp?: HashicorpVaultSettings | undefined;
}
