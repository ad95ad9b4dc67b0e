import { fail, type FailureError } from '../domain/failure.ts';
import { maxSecrets } from './ports.ts';

/** What a store keeps sealed by name: the secrets of tasks, and credentials by registry. */
export type KindOfSecret = 'secret' | 'registry-credential';

const words: Readonly<Record<KindOfSecret, { readonly many: string; readonly remove: string }>> = {
  secret: { many: 'secrets', remove: 'slipway secret list, slipway secret delete NAME' },
  'registry-credential': {
    many: 'credentials for registries',
    remove: 'slipway base-image credential list, slipway base-image credential remove REGISTRY',
  },
};

/** The failure of one too many. */
export function tooMany(kind: KindOfSecret): FailureError {
  const { many, remove } = words[kind];
  return fail('conflict', `there are ${maxSecrets} ${many} already, and no more are kept`, {
    hint: `delete one that is not used any more: ${remove}`,
  });
}
