import type { ImportJob } from '../../domain/registry-import.ts';
import type { Change } from '../changes.ts';
import type { RegistryState } from '../state.ts';

const kind = 'import';
/** How long an import is remembered that is over. */
const keepMs = 24 * 60 * 60 * 1000;
/** A running import that says nothing for so long has no process any more. */
const silentMs = 60_000;

/** Writes down how far an import is, for all processes; those that were over long ago go. */
export async function writeJob(state: RegistryState, job: ImportJob): Promise<void> {
  const { index, ledger, clock } = state;
  const before = new Date(clock.now() - keepMs).toISOString();
  const old = [...index.documents(kind)].filter(([, record]) => (record as ImportJob).updatedTime < before);
  const changes: Change[] = [
    { is: 'document', kind, name: job.id, record: job },
    ...old.map(([name]): Change => ({ is: 'document', kind, name })),
  ];
  await ledger.commit(() => ({ changes, result: undefined }), { own: [`import ${job.id}`] });
}

/** What is known of an import that this process does not do. */
export function readJob({ index, clock }: RegistryState, id: string): ImportJob | undefined {
  const job = index.document(kind, id) as ImportJob | undefined;
  if (job?.state !== 'running' || clock.now() - Date.parse(job.updatedTime) < silentMs) return job;
  const message = 'the process that imported it has ended';
  const hint = 'import it again: what was copied is not copied again';
  return { ...job, state: 'failed', error: { reason: 'server-unreachable', message, hint } };
}
