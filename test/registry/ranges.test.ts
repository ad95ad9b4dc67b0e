import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type RunningRegistry } from './rig.ts';

let running: RunningRegistry;
const small = '0123456789';
const large = Buffer.from(Array.from({ length: 700_000 }, (_, n) => n % 251));
let paths: { small: string; large: string; empty: string };

beforeAll(async () => {
  running = await startRegistry();
  const push = async (bytes: string | Buffer): Promise<string> =>
    `/v2/app/blobs/${await running.pushBlob('app', bytes)}`;
  paths = { small: await push(small), large: await push(large), empty: await push('') };
});
afterAll(() => running.stop());

const ask = (path: string, range: string): Promise<Response> => running.send('GET', path, { headers: { range } });

describe('a range of a blob', () => {
  it.each([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=4-', '456789', 'bytes 4-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-30', '0123456789', 'bytes 0-9/10'],
    ['bytes=8-500', '89', 'bytes 8-9/10'],
    ['bytes=9-9', '9', 'bytes 9-9/10'],
  ])('%s is %j', async (range, text, contentRange) => {
    const answer = await ask(paths.small, range);
    expect(answer.status).toBe(206);
    expect(await answer.text()).toBe(text);
    expect(answer.headers.get('content-range')).toBe(contentRange);
    expect(answer.headers.get('content-length')).toBe(String(text.length));
  });

  it.each(['bytes=10-', 'bytes=500-600', 'bytes=5-2', 'bytes=-0'])('%s holds nothing', async (range) => {
    const answer = await ask(paths.small, range);
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe('bytes */10');
  });

  it.each(['bytes=0-1,3-4', 'bytes=-', 'lines=0-1', 'bytes=a-b', 'bytes 0-3', 'bytes=0-3-5'])(
    '%s means the whole',
    async (range) => {
      const answer = await ask(paths.small, range);
      expect([answer.status, await answer.text()]).toEqual([200, small]);
    },
  );

  it('of nothing holds nothing', async () => {
    expect((await ask(paths.empty, 'bytes=0-0')).status).toBe(416);
  });

  it('of a large blob is exactly what was asked for', async () => {
    const last = large.length - 1;
    const span = fc
      .tuple(fc.integer({ min: 0, max: last }), fc.integer({ min: 0, max: last }))
      .map((pair) => [...pair].sort((a, b) => a - b) as [number, number]);
    await fc.assert(
      fc.asyncProperty(span, async ([start, end]) => {
        const answer = await ask(paths.large, `bytes=${String(start)}-${String(end)}`);
        expect(answer.status).toBe(206);
        expect(Buffer.from(await answer.arrayBuffer()).equals(large.subarray(start, end + 1))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('is announced as possible, and a HEAD says the size of the whole', async () => {
    const head = await running.send('HEAD', paths.large);
    expect([head.headers.get('accept-ranges'), head.headers.get('content-length')]).toEqual([
      'bytes',
      String(large.length),
    ]);
  });
});
