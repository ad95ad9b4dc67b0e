import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTransfers } from '../../src/runner/docker/transfers.ts';

function show(name: string, stepMs: number): string[] {
  const lines: string[] = [];
  let now = 0;
  const take = createTransfers(
    (line) => lines.push(line),
    () => now,
  );
  const text = readFileSync(new URL(`fixtures/${name}.ndjson`, import.meta.url), 'utf8');
  for (const line of text.split('\n').filter(Boolean)) {
    now += stepMs;
    take(JSON.parse(line));
  }
  return lines;
}

describe('the layers of a push', () => {
  it('have a line each when they have arrived, and none in between when it is quick', () => {
    expect(show('push-new', 1)).toEqual(['24153d5bb794: pushed', 'cc78521a3dc7: pushed']);
  });

  it('are summed up at most once a second while they are under way', () => {
    const lines = show('push-new', 100).filter((line) => line.includes(' of 2 layers'));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.length).toBeLessThan(8);
    expect(lines[0]).toMatch(/^\d+\.\d\d[kM]B \/ \d+\.\d\dMB, [01] of 2 layers$/);
  });

  it('have one line when they are there already', () => {
    expect(show('push-same', 1)).toEqual(['cc78521a3dc7: already there', '24153d5bb794: already there']);
  });

  it('say when the engine tries them again, not at each second of its waiting', () => {
    const lines = show('push-503', 1);
    expect(lines.every((line) => line.endsWith('the engine tries again'))).toBe(true);
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines.length).toBeLessThanOrEqual(10);
  });
});
