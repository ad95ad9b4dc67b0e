import { createMemoryBlobStore } from '../../src/blob/memory/store.ts';
import { describeBlobStore } from './contract.ts';

describeBlobStore('the blob store in memory', () =>
  Promise.resolve({ store: createMemoryBlobStore(() => Date.now()), dispose: () => Promise.resolve() }),
);
