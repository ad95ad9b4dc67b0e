import { fail } from '../domain/failure.ts';

/** What reading one file may still cost: arguments that stand for each other can double with each line. */
export interface Budget {
  /** @throws `invalid-request` when more is spent than there is. */
  spend(amount: number): void;
}

export function createBudget(limit: number): Budget {
  let left = limit;
  return {
    spend: (amount) => {
      left -= amount;
      if (left < 0) throw fail('invalid-request', 'the variables of the file come to more than can be worked out');
    },
  };
}
