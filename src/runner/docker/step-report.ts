import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { maxReportBytes, type RunSetup, type StepReport } from '../../engine/ports.ts';
import type { CmdJob } from './cmd-job.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { oneLine } from './progress-words.ts';
import type { EngineCalls } from './request.ts';
import { workspacePath } from './volumes.ts';

const file = `${workspacePath}/report.json`;
const tooLarge: StepReport = { fault: `it has more than ${String(maxReportBytes / 1024 / 1024)} MiB` };

/** A stream's bytes; undefined when there are more than `most`. */
async function readUpTo(stream: AsyncIterable<unknown>, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The one entry of the archive; undefined when it is no file. */
async function readFile(archive: Readable): Promise<StepReport | undefined> {
  const entries = archive.pipe(extract());
  archive.on('error', (error) => entries.destroy(error));
  try {
    for await (const entry of entries) {
      if (entry.header.type !== 'file') return undefined;
      if (entry.header.size > maxReportBytes) return tooLarge;
      const bytes = await readUpTo(entry, maxReportBytes);
      return bytes === undefined ? tooLarge : { bytes };
    }
    return undefined;
  } finally {
    archive.destroy();
  }
}

async function fetchFile(engine: EngineCalls, container: string): Promise<StepReport | undefined> {
  try {
    const path = `/containers/${container}/archive`;
    return await readFile(await engine.stream({ method: 'GET', path, query: { path: file } }));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The standard output of a container, kept as it comes. */
export interface StdoutTap {
  readonly take: (chunk: Buffer) => void;
  readonly read: () => StepReport;
}

/** Keeps what a container writes, where somebody wants it; what is too large is let go of. */
export function tapStdout({ keepReport }: Pick<RunSetup, 'keepReport'>): StdoutTap | undefined {
  if (keepReport === undefined) return undefined;
  let chunks: Buffer[] = [];
  let size = 0;
  return {
    take: (chunk) => {
      size += chunk.length;
      if (size <= maxReportBytes) chunks.push(chunk);
      else chunks = [];
    },
    read: () => (size > maxReportBytes ? tooLarge : { bytes: Buffer.concat(chunks) }),
  };
}

/** Hands over what a container that has ended leaves as its report, where somebody wants it. Rejects with `engine-unavailable`. */
export async function collectReport(
  { scope }: Pick<CmdJob, 'scope'>,
  { id, stdout }: { readonly id: string; readonly stdout?: StdoutTap | undefined },
): Promise<void> {
  const { engine, setup } = scope;
  if (setup.keepReport === undefined || stdout === undefined) return;
  try {
    setup.keepReport((await fetchFile(engine, id)) ?? stdout.read());
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    setup.keepReport({ fault: oneLine(error.message) });
  }
}
