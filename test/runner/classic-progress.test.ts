import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createClassicProgress, type ClassicProgress } from '../../src/runner/docker/classic-progress.ts';
import { readMessages } from '../../src/runner/docker/json-lines.ts';

async function show(name: string): Promise<{ lines: string[]; progress: ClassicProgress }> {
  const lines: string[] = [];
  const progress = createClassicProgress(
    (stream, text) => lines.push(`${stream} ${text}`),
    () => 0,
  );
  const bytes = readFileSync(new URL(`fixtures/classic-${name}.ndjson`, import.meta.url));
  await readMessages(chunksOf(bytes), (message) => progress.write(message));
  progress.flush();
  return { lines, progress };
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 37) yield bytes.subarray(at, at + 37);
}

describe('the progress of a classic build', () => {
  it('tells the output of a step from the builder’s own words', async () => {
    const { lines } = await show('fail');
    expect(lines).toContain('system Step 3/3 : RUN echo boom; exit 3');
    expect(lines).toContain('stdout boom');
  });

  it('knows the image that came out', async () => {
    const { progress } = await show('ok');
    expect(progress.imageId).toMatch(/^sha256:865738f008d2/);
  });

  it('knows the instruction that was begun last, and its container', async () => {
    const { progress } = await show('fail');
    expect(progress.step).toEqual({ number: 3, count: 3, text: 'RUN echo boom; exit 3' });
    expect(progress.container).toBe('c526b50ca116');
  });

  it('shows layers that were pulled and keeps the digest of the base image', async () => {
    const { lines, progress } = await show('pull');
    expect(lines).toContain('system a3e6d84f65c5: already here');
    expect(progress.bases).toEqual([
      { reference: '127.0.0.1:5000/rec/base:1', digest: expect.stringMatching(/^sha256:d3b6/) },
    ]);
  });
});
