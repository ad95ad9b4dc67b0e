import type { PolicyChange, RegistryPolicies } from '../../domain/registry-care.ts';
import type { Change } from '../changes.ts';
import type { RegistryIndex } from '../contents.ts';

/** Policies are documents of this kind, each by its name in {@link RegistryPolicies}. */
const policyKind = 'policy';

export const policyDefaults: RegistryPolicies = {
  softDeletePolicy: { status: 'disabled', retentionDays: 7 },
  retentionPolicy: { status: 'disabled', days: 7 },
  quarantinePolicy: { status: 'disabled', repositories: ['*'] },
  purgePolicy: { status: 'disabled', schedule: '0 3 * * *', rules: [] },
  quotaPolicy: { rules: [] },
  writeOncePolicy: { rules: [] },
};

type PolicyName = keyof RegistryPolicies;

/** Where policies are read. */
export type Documents = Pick<RegistryIndex, 'document'>;

/** A policy as it is now. */
export function readPolicy<Name extends PolicyName>(index: Documents, name: Name): RegistryPolicies[Name] {
  return (index.document(policyKind, name) as RegistryPolicies[Name] | undefined) ?? policyDefaults[name];
}

/** True when somebody has ever set it: where nobody has, nothing can have come of it. */
export function isPolicySet(index: Documents, name: PolicyName): boolean {
  return index.document(policyKind, name) !== undefined;
}

/** All policies as they are now. */
export function readPolicies(index: Documents): RegistryPolicies {
  return {
    softDeletePolicy: readPolicy(index, 'softDeletePolicy'),
    retentionPolicy: readPolicy(index, 'retentionPolicy'),
    quarantinePolicy: readPolicy(index, 'quarantinePolicy'),
    purgePolicy: readPolicy(index, 'purgePolicy'),
    quotaPolicy: readPolicy(index, 'quotaPolicy'),
    writeOncePolicy: readPolicy(index, 'writeOncePolicy'),
  };
}

/** The changes that make policies what an order wants; the retention of untagged manifests counts from when it is enabled. */
export function changePolicies(index: Documents, order: PolicyChange, now: string): Change[] {
  const names = Object.keys(order) as PolicyName[];
  return names.map((name) => {
    const before = readPolicy(index, name);
    const after = { ...before, ...order[name] };
    const isEnabled = 'status' in after && after.status === 'enabled';
    const wasEnabled = 'status' in before && before.status === 'enabled';
    const begins = name === 'retentionPolicy' && isEnabled && !wasEnabled;
    return { is: 'document', kind: policyKind, name, record: { ...after, ...(begins && { enabledTime: now }) } };
  });
}
