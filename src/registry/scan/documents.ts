import type { ScanPolicy } from '../../domain/registry-scan.ts';
import type { ScanPolicyDesk } from '../../domain/scan-desk.ts';
import type { Audit } from '../access/audit.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { parseScanPolicy } from './policy.ts';

const kind = 'scan-policy';
const name = 'default';
const touches = { own: [kind] };

/** Makes the place where the scan policy is looked after; it is a document of the registry. */
export function createScanPolicyDesk(state: RegistryState, audit: Audit): ScanPolicyDesk {
  const { index, ledger } = state;
  const tell = (who: string): void => {
    audit({ time: timeOf(state), who, action: 'change-policy', name: 'scan policy', result: 'done' });
  };
  const get = (): ScanPolicy | undefined => index.document(kind, name) as ScanPolicy | undefined;
  return {
    get,
    put: async (body, who) => {
      const record = parseScanPolicy(body as Readonly<Record<string, unknown>>, timeOf(state));
      await ledger.commit(() => ({ changes: [{ is: 'document', kind, name, record }], result: undefined }), touches);
      tell(who);
      return record;
    },
    delete: async (who) => {
      const wasThere = await ledger.commit(() => {
        const isThere = get() !== undefined;
        return { changes: isThere ? [{ is: 'document', kind, name }] : [], result: isThere };
      }, touches);
      if (wasThere) tell(who);
      return wasThere;
    },
  };
}
