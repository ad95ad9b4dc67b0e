import { describe, expect, it } from 'vitest';
import type { ImageIdentity } from '../../../src/domain/dependencies.ts';
import type { RunId } from '../../../src/domain/run.ts';
import type { PlatformReader } from '../../../src/patch/ports.ts';
import { recordRun } from '../../../src/patch/record/record-run.ts';
import { at, base, digest, image, name, ofTask, setUp } from './rig.ts';

describe('the platforms that bases were read for', () => {
  const amd64 = { platform: 'linux/amd64' };
  const arm64 = { platform: 'linux/arm64' };
  const onBase = (more: Partial<ImageIdentity>, recipe?: string) => ({
    dependencies: [{ image, runtime: { ...base, ...more }, buildTime: [], ...(recipe !== undefined && { recipe }) }],
  });

  it('are recorded with the manifests behind the digest that was built on, each', async () => {
    const { record } = await setUp();
    const dependencies = [
      { image, runtime: { ...base, digest: digest('b'), platforms: [amd64, arm64] }, buildTime: [] },
      { image: { ...image, tag: 'v2' }, buildTime: [{ ...base, tag: '20', digest: digest('d'), platforms: [arm64] }] },
    ];
    const [first, second] = (await record(ofTask({ dependencies })))?.images ?? [];
    const c = { digest: digest('c') };
    expect(first?.runtime?.platforms).toEqual([
      { ...amd64, ...c },
      { ...arm64, ...c },
    ]);
    expect(second?.buildTime[0]?.platforms).toEqual([{ ...arm64, digest: digest('e') }]);
  });

  it('have no manifests where the index is gone, and are not looked up for what is pinned or has no digest', async () => {
    const { record } = await setUp();
    const gone = await record(ofTask(onBase({ digest: digest('f'), platforms: [amd64] })));
    expect(gone?.images[0]?.runtime?.platforms).toEqual([amd64]);
    const pinned = { digest: digest('b'), platforms: [amd64], isPinned: true };
    for (const [at, more] of [pinned, { platforms: [amd64] }].entries()) {
      const later = { runId: `ca${String(at + 2)}` as RunId, finishTime: `2026-11-21T1${String(at + 1)}:00:00.000Z` };
      const known = await record(ofTask({ ...later, ...onBase(more) }));
      expect(known?.images[0]?.runtime).not.toHaveProperty('platforms');
    }
  });

  it('are those of the recipe where a run names none (a rebase), with manifests of the new base', async () => {
    const { record } = await setUp();
    await record(ofTask({ ...onBase({ digest: digest('b'), platforms: [amd64] }, 'r1'), finishTime: at(5) }));
    const again = await record(ofTask({ runId: 'ca2' as RunId, ...onBase({ digest: digest('d') }, 'r1') }));
    expect(again?.images[0]?.runtime?.platforms).toEqual([{ ...amd64, digest: digest('e') }]);
    const other = { runId: 'ca3' as RunId, finishTime: at(20) };
    const another = await record(ofTask({ ...other, ...onBase({ digest: digest('d') }, 'r2') }));
    expect(another?.images[0]?.runtime).not.toHaveProperty('platforms');
  });

  it('are not looked up again for a digest that is known of the task', async () => {
    const asked: string[] = [];
    const platformsOf: PlatformReader = async (one, platforms) => {
      asked.push(one.digest);
      return platforms.map((platform) => ({ platform, digest: digest('c') }));
    };
    const { options, baseImages } = await setUp();
    const runs = [
      onBase({ digest: digest('b'), platforms: [amd64] }),
      onBase({ digest: digest('d'), platforms: [amd64] }),
    ];
    for (const [count, run] of [runs[0], runs[0], runs[1]].entries())
      await recordRun(ofTask({ ...run, finishTime: at(10 + count) }), { ...options, platformsOf });
    expect(asked).toEqual([digest('b'), digest('d')]);
    const known = await baseImages.get(name);
    expect(known?.images[0]?.runtime?.platforms).toEqual([{ ...amd64, digest: digest('c') }]);
  });

  it('are forgotten with the digest where a run did not find out what an image stands on', async () => {
    const { record } = await setUp();
    await record(ofTask({ ...onBase({ digest: digest('b'), platforms: [amd64] }), finishTime: at(5) }));
    const known = await record(ofTask({ runId: 'ca2' as RunId, dependencies: [] }));
    expect(known?.images[0]?.runtime).toEqual(base);
  });
});
