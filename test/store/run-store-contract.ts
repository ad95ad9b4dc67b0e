import { describe } from 'vitest';
import { describeEventLog } from './event-log-contract.ts';
import type { OpenStore } from './fixtures.ts';
import { describeRunStates } from './run-states-contract.ts';
import { describeRunWriting } from './run-writing-contract.ts';

/** What every store does: the contract written in src/store/ports.ts. `open` makes an empty store. */
export function describeRunStore(name: string, open: OpenStore): void {
  describe(name, () => {
    describeRunWriting(open);
    describeRunStates(open);
    describeEventLog(open);
  });
}
