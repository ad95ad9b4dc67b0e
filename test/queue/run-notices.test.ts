import { createMemoryRunNotices } from '../../src/queue/memory/run-notices.ts';
import { describeRunNotices } from './run-notices-contract.ts';

describeRunNotices('notices of runs in memory', async () => createMemoryRunNotices({ attempts: 3, backoffMs: 2 }));
