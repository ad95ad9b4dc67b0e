import type { Diagnostic } from './diagnostic.ts';
import type { PlanResult } from './plan-task.ts';
import type { Step } from '../domain/step.ts';

/** A step as `slipway plan --json` shows it (DESIGN.md §6). */
export interface StepDocument {
  readonly id: string;
  readonly kind: Step['kind'];
  readonly needs: readonly string[];
  readonly build?: string;
  readonly push?: readonly string[];
  readonly cmd?: string;
  readonly timeoutSeconds: number;
  readonly network?: string;
  readonly container?: readonly string[];
}

/** What `slipway plan --json` prints. */
export type PlanDocument =
  | { readonly ok: true; readonly version: string; readonly steps: readonly StepDocument[] }
  | { readonly ok: false; readonly error: string; readonly line: number; readonly column: number };

function describeWork(step: Step): Pick<StepDocument, 'build' | 'push' | 'cmd'> {
  switch (step.kind) {
    case 'build':
      return { build: step.build };
    case 'push':
      return { push: step.images };
    case 'cmd':
      return { cmd: step.cmd };
  }
}

function describeStep(step: Step): StepDocument {
  return {
    id: step.id,
    kind: step.kind,
    needs: step.needs,
    ...describeWork(step),
    timeoutSeconds: step.timeoutSeconds,
    ...(step.network !== undefined && { network: step.network }),
    ...(step.kind === 'cmd' && { container: step.container }),
  };
}

/** The first error in the file's order. */
function describeError([first]: readonly Diagnostic[]): PlanDocument {
  return {
    ok: false,
    error: first?.message ?? 'the file cannot be planned',
    line: first?.line ?? 1,
    column: first?.column ?? 1,
  };
}

/** A plan as the document that the reference's plans are compared with (DESIGN.md §6, the corpus README). */
export function planDocument(result: PlanResult): PlanDocument {
  if (!result.ok) return describeError(result.errors);
  return { ok: true, version: result.plan.version, steps: result.plan.steps.map(describeStep) };
}

/** {@link planDocument} as text, with a newline at its end. */
export function formatPlanJson(result: PlanResult): string {
  return `${JSON.stringify(planDocument(result), null, 1)}\n`;
}
