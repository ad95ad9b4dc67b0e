import type { RunId } from '../domain/run.ts';
import type { Plan } from '../domain/step.ts';
import { seal, unseal } from '../secret/seal.ts';
import type { RunStore } from '../store/ports.ts';

/** A plan as it is kept while its run is at work, for whoever takes the run up when its worker was lost. */
export interface KeptPlan {
  /** The attempt that made it: what the run has on the engine is named after it. */
  readonly attempt: number;
  readonly plan: Plan;
  /** Values that must not show up in the log. */
  readonly secrets: readonly string[];
}

/** Keeps plans as long as a run may last. */
export interface PlanKeeper {
  keep(id: RunId, plan: KeptPlan): Promise<void>;
  find(id: RunId): Promise<KeptPlan | undefined>;
}

const purpose = 'plan';

/** Keeps plans in the store, encrypted under the installation's key: secrets have been rendered into them. */
export function createPlanKeeper(runs: Pick<RunStore, 'keepPlan' | 'findPlan'>, key: Buffer): PlanKeeper {
  return {
    keep: (id, plan) => runs.keepPlan(id, seal(key, plan, purpose)),
    find: async (id) => {
      const sealed = await runs.findPlan(id);
      return sealed === undefined ? undefined : (unseal(key, sealed, purpose) as KeptPlan);
    },
  };
}
