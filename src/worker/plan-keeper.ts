import type { RunId } from '../domain/run.ts';
import type { Plan } from '../domain/step.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import { seal, unseal } from '../secret/seal.ts';
import type { RunStore } from '../store/ports.ts';

/** A plan as it is kept while its run is at work, for whoever takes the run up when its worker was lost. */
export interface KeptPlan {
  /** The attempt that made it: what the run has on the engine is named after it. */
  readonly attempt: number;
  readonly plan: Plan;
  /** Values that must not show up in the log. */
  readonly secrets: readonly string[];
  /** The commit or digest of the context that it was made with; absent where the run's location alone tells. */
  readonly source?: string | undefined;
}

/** Keeps plans as long as a run may last, or so many milliseconds. */
export interface PlanKeeper {
  keep(id: RunId, plan: KeptPlan, keepMs?: number): Promise<void>;
  find(id: RunId): Promise<KeptPlan | undefined>;
}

/** What plans are sealed for. */
export const planPurpose = 'plan';

/** Keeps plans in the store, encrypted under the installation's key: secrets have been rendered into them. */
export function createPlanKeeper(runs: Pick<RunStore, 'keepPlan' | 'findPlan'>, key: InstallationKey): PlanKeeper {
  return {
    keep: (id, plan, keepMs) =>
      runs.keepPlan(id, seal(key, plan, planPurpose), keepMs === undefined ? undefined : Math.ceil(keepMs / 1000)),
    find: async (id) => {
      const sealed = await runs.findPlan(id);
      return sealed === undefined ? undefined : (unseal(key, sealed, planPurpose) as KeptPlan);
    },
  };
}
