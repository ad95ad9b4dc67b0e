import type { RetentionPolicy } from '../../domain/registry-care.ts';
import type { ManifestRecord } from '../records.ts';
import { planRemoval, type Scene } from './plan.ts';
import type { RemovalUnit } from './removal.ts';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * The manifests of a repository that no tag has stood for in the days of the policy; what was untagged before it was enabled counts from
 * then on. What is attached to them goes with them. Pure; see {@link planRemoval} for what never goes.
 */
export function planRetention(scene: Scene, { days, enabledTime }: Omit<RetentionPolicy, 'status'>): RemovalUnit[] {
  const enabled = enabledTime === undefined ? 0 : Date.parse(enabledTime);
  const isDue = ({ untaggedSince }: ManifestRecord): boolean =>
    untaggedSince !== undefined && Math.max(Date.parse(untaggedSince), enabled) + days * dayMs <= scene.now;
  return planRemoval(scene, { leaving: new Set(), mayGo: isDue });
}
