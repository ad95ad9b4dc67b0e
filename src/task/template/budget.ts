import { LimitFault } from './faults.ts';

/** Bounds of one rendering. They exist so that hostile text fails fast; no honest task file comes near them. */
export interface TemplateLimits {
  /** Bytes of rendered text, and of any string made on the way. */
  readonly maxOutput: number;
  /** Units of work: a node evaluated, 32 bytes of a string handled, a list item looked at. */
  readonly maxSteps: number;
  /** Nested controls, parentheses, template calls and values within values. */
  readonly maxDepth: number;
}

export const defaultLimits: TemplateLimits = { maxOutput: 1024 * 1024, maxSteps: 200_000, maxDepth: 150 };

/** What is left of the limits; every part of the evaluator spends from it before it does the work. */
export class Budget {
  readonly limits: TemplateLimits;
  #steps = 0;
  #depth = 0;

  constructor(limits: TemplateLimits) {
    this.limits = limits;
  }

  /** Takes `steps` units of work, or throws a {@link LimitFault}. */
  spend(steps = 1): void {
    this.#steps += steps;
    if (this.#steps > this.limits.maxSteps) {
      const hint = 'A loop over a long list, or a template that calls itself, does too much work.';
      throw new LimitFault(`rendering took more than ${this.limits.maxSteps} steps`, { hint });
    }
  }

  /** Says that a string of `length` characters is about to be made. */
  claim(length: number): void {
    if (length > this.limits.maxOutput) {
      throw new LimitFault(`rendering made more than ${this.limits.maxOutput} bytes of text`);
    }
    this.spend(1 + (length >>> 5));
  }

  /** Runs `work` one level deeper, or throws a {@link LimitFault}. */
  nested<T>(work: () => T): T {
    if (++this.#depth > this.limits.maxDepth) {
      throw new LimitFault(`nesting is deeper than ${this.limits.maxDepth} levels`);
    }
    const result = work();
    this.#depth--;
    return result;
  }
}
