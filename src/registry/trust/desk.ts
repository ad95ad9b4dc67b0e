import { fail } from '../../domain/failure.ts';
import type { TrustDesk, TrustPolicy } from '../../domain/registry-trust.ts';
import type { TrustGate } from '../../trust/gate.ts';
import { createTrustGate } from '../../trust/gate.ts';
import { parseTrustPolicy } from '../../trust/policy.ts';
import type { Audit } from '../access/audit.ts';
import { timeOf, type RegistryState } from '../state.ts';
import { createImageSource } from './image-source.ts';

const kind = 'trust-policy';
/** Policies look at nothing but each other. */
const touches = { own: [kind] };
const mostPolicies = 1000;

/** What stands at a name is a policy: nothing else is written there. */
function readPolicies({ index }: Pick<RegistryState, 'index'>): readonly TrustPolicy[] {
  return [...index.documents(kind).values()] as TrustPolicy[];
}

/** Makes the gate that pulls are asked through. */
export function openTrustGate(state: RegistryState): TrustGate {
  return createTrustGate({
    policies: () => readPolicies(state),
    sourceOf: (repository) => createImageSource(state, repository),
    clock: state.clock,
  });
}

function byName(a: TrustPolicy, b: TrustPolicy): number {
  return a.name < b.name ? -1 : 1;
}

/** Makes the place where trust policies are looked after; they are documents of the registry. */
export function createTrustDesk(state: RegistryState, gate: TrustGate, audit: Audit): TrustDesk {
  const { index, ledger } = state;
  const tell = (who: string, name: string): void => {
    audit({ time: timeOf(state), who, action: 'change-policy', name: `trust policy ${name}`, result: 'done' });
  };
  const get: TrustDesk['get'] = (name) => index.document(kind, name) as TrustPolicy | undefined;
  return {
    get,
    list: () => [...readPolicies(state)].sort(byName),
    put: async (name, body, who) => {
      const policy = parseTrustPolicy({ ...body, name });
      await ledger.commit(() => {
        if (get(name) === undefined && index.documents(kind).size >= mostPolicies)
          throw fail('conflict', `there are ${String(mostPolicies)} trust policies, which is the most`);
        return { changes: [{ is: 'document', kind, name, record: policy }], result: undefined };
      }, touches);
      tell(who, name);
      return policy;
    },
    delete: async (name, who) => {
      const wasThere = await ledger.commit(() => {
        const isThere = get(name) !== undefined;
        return { changes: isThere ? [{ is: 'document', kind, name }] : [], result: isThere };
      }, touches);
      if (wasThere) tell(who, name);
      return wasThere;
    },
    verify: async (repository, reference) => {
      const digest = index.repository(repository)?.find(reference)?.digest;
      if (digest === undefined)
        throw fail('not-found', `there is no image ${repository.slice(0, 255)} ${reference.slice(0, 160)}`);
      return { repository, digest, ...(await gate.demandTrust(digest, repository)) };
    },
  };
}
