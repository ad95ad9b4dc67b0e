import { fail } from '../../domain/failure.ts';
import type { RegistryPolicies, WriteOncePolicy } from '../../domain/registry-care.ts';
import { isRepositoryPattern } from '../access/pattern.ts';
import { parsePurge } from './purge.ts';
import { lastOccurrence } from './schedule.ts';
import { isExclusion, isTagPattern } from './write-once.ts';

function demandWhole(value: number, field: string, [least, most]: readonly [number, number]): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw fail('invalid-request', `${field} must be a whole number from ${String(least)} to ${String(most)}`, { field });
}

function demandPattern(pattern: string, field: string): void {
  if (isRepositoryPattern(pattern)) return;
  throw fail('invalid-request', `${field} must be the name of a repository, prefix/*, or *`, { field });
}

const mostRules = 100;
const mostTagPatterns = 100;

function checkWriteOnce({ rules }: WriteOncePolicy): void {
  for (const [at, { repositories, tags }] of rules.entries()) {
    const field = `writeOncePolicy.rules[${String(at)}]`;
    demandPattern(repositories, `${field}.repositories`);
    for (const [position, tag] of tags.entries()) {
      const one = `${field}.tags[${String(position)}]`;
      if (!isTagPattern(tag))
        throw fail('invalid-request', `${one} is no pattern of tags`, { field: one, hint: "'v*', '1.2', '!latest'" });
    }
    if (tags.length > mostTagPatterns || tags.every(isExclusion))
      throw fail(
        'invalid-request',
        `${field}.tags must say which tags, in at most ${String(mostTagPatterns)} patterns`,
        {
          field: `${field}.tags`,
        },
      );
  }
}

/** Refuses policies that cannot be. @throws `invalid-request` that names the field. */
export function checkPolicies(policies: RegistryPolicies, now: number): void {
  const { softDeletePolicy, retentionPolicy, quarantinePolicy, purgePolicy, quotaPolicy, writeOncePolicy } = policies;
  demandWhole(softDeletePolicy.retentionDays, 'softDeletePolicy.retentionDays', [1, 90]);
  demandWhole(retentionPolicy.days, 'retentionPolicy.days', [0, 365]);
  demandWhole(retentionPolicy.notPulledDays ?? 0, 'retentionPolicy.notPulledDays', [0, 365]);
  for (const [at, pattern] of quarantinePolicy.repositories.entries())
    demandPattern(pattern, `quarantinePolicy.repositories[${String(at)}]`);
  lastOccurrence(purgePolicy.schedule, now);
  for (const [field, { length }] of [
    ['purgePolicy.rules', purgePolicy.rules],
    ['quotaPolicy.rules', quotaPolicy.rules],
    ['writeOncePolicy.rules', writeOncePolicy.rules],
  ] as const)
    if (length > mostRules)
      throw fail('invalid-request', `${field} may have at most ${String(mostRules)} rules`, { field });
  for (const [at, rule] of purgePolicy.rules.entries()) parsePurge(rule, `purgePolicy.rules[${String(at)}].`);
  for (const [at, { repositories, maxBytes }] of quotaPolicy.rules.entries()) {
    demandPattern(repositories, `quotaPolicy.rules[${String(at)}].repositories`);
    demandWhole(maxBytes, `quotaPolicy.rules[${String(at)}].maxBytes`, [0, Number.MAX_SAFE_INTEGER]);
  }
  checkWriteOnce(writeOncePolicy);
}
