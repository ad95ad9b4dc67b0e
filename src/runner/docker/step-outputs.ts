import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, pack } from 'tar-stream';
import type { Outcome } from '../../domain/outcome.ts';
import { outputLimits } from '../../domain/output-reference.ts';
import type { CmdStep } from '../../domain/step.ts';
import { EngineRefusal, isMissing } from './errors.ts';
import { parseOutputFile } from './output-file.ts';
import type { EngineCalls } from './request.ts';

/** Where a step writes its outputs; in the container itself, so that no other step sees them. */
const file = '/acb/output';
const variable = 'SLIPWAY_OUTPUT';

/** The step with the variable that says where its outputs go; as it is when nobody reads any. */
export function withOutputVariable(step: CmdStep): CmdStep {
  return step.outputs === undefined ? step : { ...step, env: [...step.env, { name: variable, value: file }] };
}

function packEmptyFile(): Readable {
  const tar = pack();
  const mtime = new Date(0);
  tar.entry({ name: 'acb', type: 'directory', mode: 0o755, mtime });
  tar.entry({ name: 'acb/output', mode: 0o666, mtime }, '');
  tar.finalize();
  return tar as unknown as Readable;
}

/**
 * Puts an empty file, which every user may write, into a container that was created and not started; nothing when nobody reads the step's
 * outputs. Rejects with the engine's refusal (a root file system that is read-only).
 */
export async function placeOutputFile(engine: EngineCalls, container: string, step: CmdStep): Promise<void> {
  if (step.outputs === undefined) return;
  const headers = { 'Content-Type': 'application/x-tar' };
  const query = { path: '/' };
  await engine.json({
    method: 'PUT',
    path: `/containers/${container}/archive`,
    query,
    headers,
    file: packEmptyFile(),
    deadlineMs: 60_000,
  });
}

type Content = { readonly text: string } | { readonly fault: string };

/** The one entry of the archive, if it is a file of a bearable size. */
async function readFile(archive: Readable): Promise<Content> {
  const entries = archive.pipe(extract());
  archive.on('error', (error) => entries.destroy(error));
  try {
    for await (const entry of entries) {
      const { type, size } = entry.header;
      if (type !== 'file') return { fault: 'it is no file any more' };
      if (size > outputLimits.bytes) return { fault: `it has more than ${outputLimits.bytes / 1024} KiB` };
      return { text: (await buffer(entry)).toString('utf8') };
    }
    return { text: '' };
  } finally {
    archive.destroy();
  }
}

async function fetchFile(engine: EngineCalls, container: string): Promise<Content> {
  try {
    const path = `/containers/${container}/archive`;
    return await readFile(await engine.stream({ method: 'GET', path, query: { path: file } }));
  } catch (error) {
    if (isMissing(error)) return { text: '' };
    if (error instanceof EngineRefusal) return { fault: error.message };
    throw error;
  }
}

/** What was read of the outputs that others want. */
function pick(content: Content, wanted: readonly string[]): Outcome {
  const read = 'text' in content ? parseOutputFile(content.text) : { ok: false as const, message: content.fault };
  if (!read.ok) return { kind: 'failed', message: `its outputs ($${variable}) cannot be read: ${read.message}` };
  const outputs = wanted.flatMap((name) => {
    const value = read.outputs.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { kind: 'succeeded', outputs: Object.fromEntries(outputs) };
}

/**
 * What a step came to whose container has ended with exit code 0: success, with those of its outputs that other steps read. A file that
 * cannot be read is the step's failure; one that was removed has no outputs. Rejects with `engine-unavailable`.
 */
export async function collectOutputs(engine: EngineCalls, container: string, step: CmdStep): Promise<Outcome> {
  if (step.outputs === undefined) return { kind: 'succeeded' };
  return pick(await fetchFile(engine, container), step.outputs);
}
