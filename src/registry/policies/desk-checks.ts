import { fail } from '../../domain/failure.ts';
import type { RegistryPolicies } from '../../domain/registry-care.ts';
import { isRepositoryPattern } from '../access/pattern.ts';
import { parsePurge } from './purge.ts';
import { lastOccurrence } from './schedule.ts';

function demandWhole(value: number, field: string, [least, most]: readonly [number, number]): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw fail('invalid-request', `${field} must be a whole number from ${String(least)} to ${String(most)}`, { field });
}

function demandPattern(pattern: string, field: string): void {
  if (isRepositoryPattern(pattern)) return;
  throw fail('invalid-request', `${field} must be the name of a repository, prefix/*, or *`, { field });
}

const mostRules = 100;

/** Refuses policies that cannot be. @throws `invalid-request` that names the field. */
export function checkPolicies(policies: RegistryPolicies, now: number): void {
  const { softDeletePolicy, retentionPolicy, quarantinePolicy, purgePolicy, quotaPolicy } = policies;
  demandWhole(softDeletePolicy.retentionDays, 'softDeletePolicy.retentionDays', [1, 90]);
  demandWhole(retentionPolicy.days, 'retentionPolicy.days', [0, 365]);
  for (const [at, pattern] of quarantinePolicy.repositories.entries())
    demandPattern(pattern, `quarantinePolicy.repositories[${String(at)}]`);
  lastOccurrence(purgePolicy.schedule, now);
  for (const [field, { length }] of [
    ['purgePolicy.rules', purgePolicy.rules],
    ['quotaPolicy.rules', quotaPolicy.rules],
  ] as const)
    if (length > mostRules)
      throw fail('invalid-request', `${field} may have at most ${String(mostRules)} rules`, { field });
  for (const [at, rule] of purgePolicy.rules.entries()) parsePurge(rule, `purgePolicy.rules[${String(at)}].`);
  for (const [at, { repositories, maxBytes }] of quotaPolicy.rules.entries()) {
    demandPattern(repositories, `quotaPolicy.rules[${String(at)}].repositories`);
    demandWhole(maxBytes, `quotaPolicy.rules[${String(at)}].maxBytes`, [0, Number.MAX_SAFE_INTEGER]);
  }
}
