import type { Change } from '../changes.ts';
import type { RegistryState } from '../state.ts';
import type { AccessKind, AccessRecordOf, AccessRecords } from './records-port.ts';

/** Changes of access look at one another: a token at its scope map, a name at all other names. */
const touches = { own: ['access'] };

function byName([a]: readonly [string, object], [b]: readonly [string, object]): number {
  return a < b ? -1 : 1;
}

/** Keeps the records of access in the registry's journal, where all processes on one store see them. */
export function createLedgerAccessRecords({ index, ledger }: Pick<RegistryState, 'index' | 'ledger'>): AccessRecords {
  const records: AccessRecords = {
    get: <K extends AccessKind>(kind: K, name: string) => index.document(kind, name) as AccessRecordOf[K] | undefined,
    list: <K extends AccessKind>(kind: K) =>
      [...index.documents(kind)].sort(byName).map(([, record]) => record as AccessRecordOf[K]),
    change: async (decide) => {
      await ledger.commit(() => {
        const changes = decide(records).map(({ kind, name, value }): Change => {
          return { is: 'document', kind, name, ...(value !== undefined && { record: value }) };
        });
        return { changes, result: undefined };
      }, touches);
    },
  };
  return records;
}
