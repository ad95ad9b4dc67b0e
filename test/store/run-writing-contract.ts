import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/domain/event.ts';
import { aRequest } from '../rig/runs.ts';
import { nobody, build, image, aNewRun, line, planned, ended, texts, useStore, type OpenStore } from './fixtures.ts';

/** The part of the store's contract about making runs and writing what happens in them (src/store/ports.ts). */
export function describeRunWriting(open: OpenStore): void {
  describe('making runs and writing what happens in them', () => {
    const { at, queued, started, all, statusOf } = useStore(open);

    describe('create', () => {
      it('gives runs increasing names from ca1 on, and a complete Queued record', async () => {
        const first = await queued({ sealedSecrets: 'sealed', request: aRequest({ isArchiveEnabled: true }) });
        expect(first).toEqual({
          runId: 'ca1',
          status: 'Queued',
          runType: 'QuickBuild',
          createTime: '2026-11-21T09:00:00.000Z',
          lastUpdatedTime: '2026-11-21T09:00:00.000Z',
          request: aRequest({ isArchiveEnabled: true }),
          sealedSecrets: 'sealed',
          attempt: 0,
          steps: [],
          outputImages: [],
          isArchiveEnabled: true,
        });
        expect(await at.store.runs.get(first.runId)).toEqual(first);
        expect((await queued()).runId).toBe('ca2');
      });

      it('counts in base 36 and lists in the order of creation across a change of length', async () => {
        for (let count = 0; count < 37; count++) await queued();
        const { runs } = await at.store.runs.list({ conditions: [], limit: 4 });
        expect(runs.map(({ runId }) => runId)).toEqual(['ca11', 'ca10', 'caz', 'cay']);
      });

      it('writes the first event in the same step', async () => {
        const { runId, createTime } = await queued();
        expect(await all(runId)).toEqual([{ kind: 'run-queued', seq: 1, at: createTime }]);
      });

      it('comes to one run for twenty calls at once with the same key', async () => {
        const calls = Array.from({ length: 20 }, () => at.store.runs.create(aNewRun({ idempotencyKey: 'admin:k1' })));
        const results = await Promise.all(calls);
        expect(new Set(results.map(({ run }) => run.runId)).size).toBe(1);
        expect(results.filter(({ created }) => created)).toHaveLength(1);
        expect((await at.store.runs.list({ conditions: [], limit: 10 })).runs).toHaveLength(1);
      });

      it('gives the run as it is now to whoever repeats its key', async () => {
        const id = await started({ idempotencyKey: 'k' });
        const again = await at.store.runs.create(aNewRun({ idempotencyKey: 'k' }));
        expect(again).toMatchObject({ created: false, run: { runId: id, status: 'Started' } });
        expect((await at.store.runs.create(aNewRun({ idempotencyKey: 'other' }))).created).toBe(true);
      });

      it('makes different runs at once under different names', async () => {
        const runs = await Promise.all(Array.from({ length: 20 }, () => queued()));
        expect(new Set(runs.map(({ runId }) => runId)).size).toBe(20);
      });

      it('keeps text of every kind as it is', async () => {
        const dockerFilePath = 'dir/\u0000"\\\n\u2028Dockerfile.ü😀';
        const { runId } = await queued({ request: aRequest({ dockerFilePath }) });
        expect((await at.store.runs.get(runId))?.request).toMatchObject({ dockerFilePath });
      });
    });

    describe('begin', () => {
      it('starts a run under a new attempt', async () => {
        const { runId } = await queued();
        at.clock.advance(1000);
        const run = await at.store.runs.begin(runId, 'w1');
        expect(run).toMatchObject({ status: 'Started', attempt: 1, worker: 'w1', startTime: run?.lastUpdatedTime });
        expect((await all(runId)).at(-1)).toMatchObject({ kind: 'run-started', attempt: 1, worker: 'w1', seq: 2 });
      });

      it('gives each of two workers at once an attempt of its own, and the later one the run', async () => {
        const { runId } = await queued();
        const runs = await Promise.all([at.store.runs.begin(runId, 'w1'), at.store.runs.begin(runId, 'w2')]);
        expect(runs.map((run) => run?.attempt).sort()).toEqual([1, 2]);
        const later = runs.find((run) => run?.attempt === 2);
        expect(await at.store.runs.get(runId)).toEqual(later);
      });

      it('ends a run as Canceled when that was requested', async () => {
        const id = await started({ sealedSecrets: 'sealed' });
        await at.store.runs.requestCancel(id, 'admin');
        await at.store.runs.release(id, 1);
        expect(await at.store.runs.begin(id, 'w2')).toBeUndefined();
        const run = await at.store.runs.get(id);
        expect(run).toMatchObject({ status: 'Canceled', runErrorMessage: 'canceled by admin' });
        expect(run).not.toHaveProperty('sealedSecrets');
        expect((await all(id)).at(-1)).toMatchObject({ kind: 'run-ended', status: 'Canceled' });
      });

      it('leaves unknown and final runs alone', async () => {
        const { runId } = await queued();
        await at.store.runs.requestCancel(runId, 'admin');
        expect(await at.store.runs.begin(runId, 'w1')).toBeUndefined();
        expect(await at.store.runs.begin(nobody, 'w1')).toBeUndefined();
        expect(await all(runId)).toHaveLength(2);
      });
    });

    describe('append', () => {
      it('numbers events without gaps and applies them to the record', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [planned, { kind: 'step-started', step: build }, line('one')]);
        await at.store.runs.append(id, 1, [line('two'), line('three')]);
        await at.store.runs.append(id, 1, [
          { kind: 'step-ended', step: build, outcome: { kind: 'succeeded' } },
          { kind: 'image-pushed', step: build, image },
          ended,
        ]);
        const events = await all(id);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
        expect(texts(events).slice(2)).toEqual([
          'run-planned',
          'step-started',
          'one',
          'two',
          'three',
          'step-ended',
          'image-pushed',
          'run-ended',
        ]);
        expect(await at.store.runs.get(id)).toMatchObject({
          status: 'Succeeded',
          outputImages: [image],
          steps: [{ id: build, outcome: { kind: 'succeeded' } }],
          finishTime: events.at(-1)?.at,
        });
      });

      it('refuses an attempt that is not the latest, whatever it brings', async () => {
        const id = await started();
        await at.store.runs.begin(id, 'w2');
        const before = await all(id);
        for (const events of [[line('late')], [planned], [ended]]) {
          const refused = at.store.runs.append(id, 1, events);
          await expect(refused).rejects.toMatchObject({ failure: { reason: 'conflict' } });
        }
        expect(await all(id)).toEqual(before);
        expect(await statusOf(id)).toBe('Started');
      });

      it('refuses runs that are final, unknown, queued or given back', async () => {
        const final = await started();
        await at.store.runs.append(final, 1, [ended]);
        const { runId: waiting } = await queued();
        const back = await started();
        await at.store.runs.release(back, 1);
        for (const [id, attempt] of [
          [final, 1],
          [nobody, 1],
          [waiting, 0],
          [back, 1],
        ] as const) {
          for (const event of [line('x'), planned]) {
            const refused = at.store.runs.append(id, attempt, [event]);
            await expect(refused).rejects.toMatchObject({ failure: { reason: 'conflict' } });
          }
        }
      });

      it('writes nothing after the end of the run', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [line('last'), ended, line('after'), ended]);
        expect(texts(await all(id)).slice(2)).toEqual(['last', 'run-ended']);
      });

      it('keeps both of two writers of one attempt that race, each in its own order', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, [planned]);
        const image2 = { ...image, repository: 'team/other' };
        const write = async (who: string, pushed: typeof image) => {
          for (let count = 0; count < 10; count++) await at.store.runs.append(id, 1, [line(`${who}${count}`)]);
          await at.store.runs.append(id, 1, [{ kind: 'image-pushed', step: build, image: pushed }]);
        };
        await Promise.all([write('a', image), write('b', image2)]);
        const events = await all(id);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
        const ofA = texts(events).filter((text) => text.startsWith('a'));
        expect(ofA).toEqual(Array.from({ length: 10 }, (_, index) => `a${index}`));
        expect((await at.store.runs.get(id))?.outputImages).toHaveLength(2);
      });

      it('lets one of two ends win and refuses the other', async () => {
        const id = await started();
        const failed: RunEvent = { kind: 'run-ended', status: 'Failed' };
        const results = await Promise.allSettled([
          at.store.runs.append(id, 1, [ended]),
          at.store.runs.append(id, 1, [failed]),
        ]);
        expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        expect(texts(await all(id)).filter((text) => text === 'run-ended')).toHaveLength(1);
      });

      it('keeps lines of every kind of text as they are', async () => {
        const id = await started();
        const odd = ['', ' ', '"', '\\n', '\u0000\u001b[31m', 'ü😀', 'x'.repeat(100_000)];
        await at.store.runs.append(id, 1, odd.map(line));
        expect(texts(await all(id)).slice(2)).toEqual(odd);
      });

      it('accepts an empty batch', async () => {
        const id = await started();
        await at.store.runs.append(id, 1, []);
        expect(await all(id)).toHaveLength(2);
      });
    });

    describe('the bound on output', () => {
      it('cuts the output of a run with one line, and lets everything else go on', async () => {
        const small = await open({ clock: at.clock, outputLimit: { events: 3, bytes: 1_000_000 } });
        const { run } = await small.runs.create(aNewRun());
        await small.runs.begin(run.runId, 'w1');
        await small.runs.append(run.runId, 1, [line('1'), line('2')]);
        await small.runs.append(run.runId, 1, [planned, line('3'), line('4'), line('5')]);
        await small.runs.append(run.runId, 1, [line('6'), ended]);
        const got = texts(await small.events.read(run.runId, 2, 100));
        expect(got).toEqual(['1', '2', 'run-planned', '3', expect.stringMatching(/cut off here/), 'run-ended']);
        await small.close();
      });

      it('counts bytes, and goes on counting after the run was taken up again', async () => {
        const small = await open({ clock: at.clock, outputLimit: { events: 1000, bytes: 1000 } });
        const { run } = await small.runs.create(aNewRun());
        await small.runs.begin(run.runId, 'w1');
        await small.runs.append(run.runId, 1, [line('x'.repeat(600))]);
        await small.runs.begin(run.runId, 'w2');
        await small.runs.append(run.runId, 2, [line('y'.repeat(600)), line('z')]);
        const events = await small.events.read(run.runId, 2, 100);
        expect(events.map(({ kind, seq }) => [kind, seq])).toEqual([
          ['output', 3],
          ['run-started', 4],
          ['output', 5],
        ]);
        expect(texts(events)[2]).toMatch(/cut off here/);
        await small.close();
      });
    });
  });
}
