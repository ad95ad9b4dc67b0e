import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatPlanJson } from '../../src/task/plan-document.ts';
import { formatRunDate } from '../../src/task/quick-build.ts';
import { plan, startedAt } from './rig.ts';

const corpus = join(import.meta.dirname, 'corpus/fixtures');
const folders = ['acr-tasks', 'helloworld-node'];

const files = folders.flatMap((folder) =>
  readdirSync(join(corpus, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file))
    .map((file) => join(folder, file)),
);

const expectedOf = (file: string): string => `${file.replaceAll('/', '_').replace(/\.ya?ml$/, '')}.json`;
const known = new Set(readdirSync(join(corpus, 'expected')));

describe('the public task files', () => {
  it.each(files.filter((file) => known.has(expectedOf(file))))('plans %s as the reference does', (file) => {
    const text = readFileSync(join(corpus, file), 'utf8');
    const expected = readFileSync(join(corpus, 'expected', expectedOf(file)), 'utf8');
    const json = formatPlanJson(plan(text)).replaceAll(formatRunDate(startedAt), '<Run.Date>');
    expect(JSON.parse(json)).toEqual(JSON.parse(expected));
    expect(json.trim()).toBe(expected.trim());
  });

  it('covers every expected plan', () => {
    expect(files.map(expectedOf)).toEqual(expect.arrayContaining([...known]));
    expect(known.size).toBe(21);
  });

  it.each(files.filter((file) => !known.has(expectedOf(file))))('plans %s, whose secrets are not at hand', (file) => {
    const result = plan(readFileSync(join(corpus, file), 'utf8'));
    expect(result).toMatchObject({
      ok: true,
      plan: { secrets: [{ keyvault: expect.stringContaining('https://') as string }] },
    });
  });

  it.each(files)('has nothing to warn of in %s', (file) => {
    expect(plan(readFileSync(join(corpus, file), 'utf8')).warnings).toEqual([]);
  });
});
