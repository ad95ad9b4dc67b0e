import { setTimeout as sleep } from 'node:timers/promises';
import { isBroken } from './api-call.ts';
import type { ApiClient } from './api-types.ts';
import type { Cli } from './cli.ts';
import type { ArchiveContext } from './context.ts';
import { createProgressLine, type ProgressLine } from './progress.ts';
import { formatBytes } from './words.ts';

/** What is known of an upload under way, in bytes. */
interface Transfer {
  packed: number;
  sent: number;
  total: number | undefined;
}

function describe({ packed, sent, total }: Transfer): string {
  // What is read of a large file is told only when all of it is; what was sent is the other witness.
  const share = total === undefined || total === 0 ? undefined : Math.min(1, Math.max(packed, sent) / total);
  return `Uploading the context: ${formatBytes(sent)}${share === undefined ? '' : ` (${Math.floor(share * 100)} %)`}`;
}

async function sendOnce(
  client: ApiClient,
  context: ArchiveContext,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<{ readonly relativePath: string; readonly bytes: number }> {
  const { uploadUrl, relativePath } = await client.createUpload(signal);
  const transfer: Transfer = { packed: 0, sent: 0, total: undefined };
  if (line.isShown) {
    // Only the percentage hangs on it, and what it trips over the packing trips over too.
    context.measure?.(signal).then(
      (bytes) => (transfer.total = bytes),
      () => undefined,
    );
  }
  const archive = await context.open(signal, (bytes) => (transfer.packed = bytes));
  const onBytes = (bytes: number): void => {
    transfer.sent = bytes;
    line.update(describe(transfer));
  };
  await client.upload(uploadUrl, archive, { signal, onBytes });
  return { relativePath, bytes: transfer.sent };
}

/**
 * Packs a context and sends it to the server, again from the beginning when the connection breaks and the context can be read again.
 * Shows its progress on a terminal.
 * @returns the name under which a run request refers to it.
 */
export async function uploadContext(
  cli: Cli,
  client: ApiClient,
  context: ArchiveContext,
  signal: AbortSignal,
): Promise<string> {
  const { io, screen, wiring } = cli;
  const line = createProgressLine(io.stderr, () => io.clock.now());
  const waits = context.isRepeatable ? (wiring.backoffMs ?? [500, 2000]) : [];
  for (let tries = 0; ; tries += 1) {
    try {
      const { relativePath, bytes } = await sendOnce(client, context, line, signal);
      line.clear();
      if (line.isShown) screen.note(`Uploaded the context: ${formatBytes(bytes)}`);
      return relativePath;
    } catch (error) {
      line.clear();
      const wait = waits[tries];
      if (wait === undefined || signal.aborted || !isBroken(error)) throw error;
      screen.note('The connection broke; uploading again …');
      await sleep(wait, undefined, { signal });
    }
  }
}
