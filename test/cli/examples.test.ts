import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { call } from './rig-api.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'examples');
const folders = await readdir(root);
const tasks = (
  await Promise.all(
    folders.map(async (folder) => ((await readdir(join(root, folder))).includes('task.yaml') ? [folder] : [])),
  )
).flat();

describe('the examples', () => {
  it('each have a README that says how to use them', async () => {
    for (const folder of folders) {
      const text = await readFile(join(root, folder, 'README.md'), 'utf8');
      expect(text).toMatch(new RegExp(`^# ${folder}\n`));
      expect(text).toContain(`npx slipway`);
    }
  });

  it('show several steps', () => {
    expect(tasks).toEqual(expect.arrayContaining(['multi-step', 'parallel', 'services']));
  });

  it.each(tasks)('%s is a task without faults', async (folder) => {
    const file = join(root, folder, 'task.yaml');
    const lint = await call(['lint', '--strict', file, '-r', 'registry.example.com']);
    expect([lint.code, lint.stdout]).toEqual([0, '1 file: nothing to say\n']);
  });

  it('have the graphs that their texts tell of', async () => {
    const plan = async (folder: string): Promise<Record<string, unknown>> => {
      const file = join(root, folder, 'task.yaml');
      const { stdout } = await call(['plan', file, '--json', '-r', 'reg.example.com', '--run-id', 'ca1']);
      const { steps } = JSON.parse(stdout) as { readonly steps: readonly { readonly id: string; needs: unknown }[] };
      return Object.fromEntries(steps.map(({ id, needs }) => [id, needs]));
    };
    expect(await plan('multi-step')).toEqual({ build: [], test: ['build'], notes: ['test'], push: ['notes'] });
    expect(await plan('services')).toEqual({ web: [], client: ['web'], check: ['client'] });
    expect(await plan('parallel')).toEqual({ lint: [], unit: [], types: [], report: ['lint', 'unit', 'types'] });
  });
});
