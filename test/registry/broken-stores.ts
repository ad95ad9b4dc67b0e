import type { BlobStore, StagedUpload } from '../../src/blob/ports.ts';

/** A store that waits for `onRead` before it reads a small object. */
export function withReads(store: BlobStore, onRead: (key: string) => Promise<void>): BlobStore {
  const readSmall: BlobStore['readSmall'] = async (key, maxBytes) => {
    await onRead(key);
    return store.readSmall(key, maxBytes);
  };
  return { ...bound(store), readSmall };
}

function bound(store: BlobStore): BlobStore {
  return {
    stat: (key) => store.stat(key),
    read: (key, range) => store.read(key, range),
    readSmall: (key, maxBytes) => store.readSmall(key, maxBytes),
    list: (prefix, page) => store.list(prefix, page),
    listStaged: (prefix) => store.listStaged(prefix),
    put: (key, bytes, options) => store.put(key, bytes, options),
    flush: () => store.flush(),
    delete: (key) => store.delete(key),
    begin: (id) => store.begin(id),
    resume: (id) => store.resume(id),
  };
}

/** A store that does so many writes more, and then none: what a killed process leaves behind. */
export function dyingStore(store: BlobStore, writes: number): { store: BlobStore; kill: () => void } {
  let left = writes;
  const spend = (): void => {
    left -= 1;
    if (left < 0) throw new Error('killed');
  };
  const upload = (staged: StagedUpload): StagedUpload => {
    const { commit, discard } = { commit: staged.commit.bind(staged), discard: staged.discard.bind(staged) };
    return Object.assign(staged, {
      commit: async (key: string) => (spend(), commit(key)),
      discard: async () => {
        if (left >= 0) await discard();
      },
    });
  };
  return {
    store: {
      ...bound(store),
      put: async (key, bytes, options) => (spend(), store.put(key, bytes, options)),
      delete: async (key) => (spend(), store.delete(key)),
      begin: async (id) => (spend(), upload(await store.begin(id))),
    },
    kill: () => {
      left = 0;
    },
  };
}
