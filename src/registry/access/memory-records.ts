import type { AccessKind, AccessRecordOf, AccessRecords } from './records-port.ts';

/** Records in memory alone: for a registry that keeps none, and for tests. */
export function createMemoryAccessRecords(): AccessRecords {
  const kinds: Record<AccessKind, Map<string, object>> = {
    'scope-map': new Map(),
    token: new Map(),
    'service-principal': new Map(),
  };
  const records: AccessRecords = {
    get: <K extends AccessKind>(kind: K, name: string) => kinds[kind].get(name) as AccessRecordOf[K] | undefined,
    list: <K extends AccessKind>(kind: K) =>
      [...kinds[kind]].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value as AccessRecordOf[K]),
    change: (decide) =>
      new Promise((resolve) => {
        for (const { kind, name, value } of decide(records)) {
          if (value === undefined) kinds[kind].delete(name);
          else kinds[kind].set(name, value);
        }
        resolve();
      }),
  };
  return records;
}
