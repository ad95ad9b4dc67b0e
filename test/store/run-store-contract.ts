import { describe } from 'vitest';
import { describeBaseImageStore } from './base-image-store-contract.ts';
import { describeCampaignStore } from './campaign-store-contract.ts';
import { describeDeliveryStore } from './delivery-store-contract.ts';
import { describeEventLog } from './event-log-contract.ts';
import type { OpenStore } from './fixtures.ts';
import { describeNotificationStore } from './notification-store-contract.ts';
import { describeRunFilters } from './run-filters-contract.ts';
import { describeRunKeeping } from './run-keeping-contract.ts';
import { describeRunMaking } from './run-making-contract.ts';
import { describeRunStates } from './run-states-contract.ts';
import { describeRunWriting } from './run-writing-contract.ts';
import { describeSecretStore } from './secret-store-contract.ts';
import { describeTaskStore } from './task-store-contract.ts';

/** What every store does: the contract written in src/store/ports.ts. `open` makes an empty store. */
export function describeRunStore(name: string, open: OpenStore): void {
  describe(name, () => {
    describeRunWriting(open);
    describeRunMaking(open);
    describeRunStates(open);
    describeEventLog(open);
    describeSecretStore(open);
    describeRunFilters(open);
    describeRunKeeping(open);
    describeTaskStore(open);
    describeDeliveryStore(open);
    describeNotificationStore(open);
    describeBaseImageStore(open);
    describeCampaignStore(open);
  });
}
