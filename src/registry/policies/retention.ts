import type { RetentionPolicy } from '../../domain/registry-care.ts';
import type { ManifestRecord } from '../records.ts';
import { isUnpulled, planRemoval, type Scene } from './plan.ts';
import type { RemovalUnit } from './removal.ts';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * The manifests of a repository that no tag has stood for in the days of the policy; what was untagged before it was enabled counts from
 * then on. With `notPulledDays`, only those that nobody has pulled for so long. What is attached to them goes with them. Pure; see {@link planRemoval} for what never goes.
 */
export function planRetention(scene: Scene, policy: Omit<RetentionPolicy, 'status'>): RemovalUnit[] {
  const { days, notPulledDays = 0, enabledTime } = policy;
  const enabled = enabledTime === undefined ? 0 : Date.parse(enabledTime);
  const isDue = (record: ManifestRecord): boolean => {
    const { untaggedSince } = record;
    if (untaggedSince === undefined || Math.max(Date.parse(untaggedSince), enabled) + days * dayMs > scene.now)
      return false;
    return notPulledDays === 0 || isUnpulled(scene, notPulledDays * dayMs, [record]);
  };
  return planRemoval(scene, { leaving: new Set(), mayGo: isDue });
}
