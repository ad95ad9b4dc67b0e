import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { EgressRequest } from '../../src/egress/ports.ts';
import { createFindMoved } from '../../src/trigger/moved-repositories.ts';

const old = 'https://git.example.com/acme/shop.git';

/** A forge that answers every question with this status and location. */
function setUp(status: number, location?: string) {
  let now = 0;
  const asked: { url: string; request: EgressRequest }[] = [];
  const fetch = async (url: string, request: EgressRequest = {}) => {
    asked.push({ url, request });
    if (status === 0) throw new Error('no route');
    return { status, headers: { location }, body: Readable.from([]), url };
  };
  const find = createFindMoved({ egress: { fetch }, clock: { now: () => now } });
  return { find, asked, advance: (ms: number) => (now += ms) };
}

describe('where a renamed repository lies', () => {
  it('is what the forge redirects git to, on the same host', async () => {
    const { find, asked } = setUp(301, '/acme/store.git/info/refs?service=git-upload-pack');
    expect(await find(`${old}#main:ci`, 'a-token')).toBe('https://git.example.com/acme/store.git');
    expect(asked[0]?.url).toBe(`${old}/info/refs?service=git-upload-pack`);
    expect(asked[0]?.request).toMatchObject({
      redirects: 'none',
      headers: { authorization: `Basic ${Buffer.from('git:a-token').toString('base64')}` },
    });
  });

  it('is not told by a redirect to another host, or to something else', async () => {
    const elsewhere = setUp(302, 'https://evil.example/acme/shop.git/info/refs?service=git-upload-pack');
    expect(await elsewhere.find(old, undefined)).toBeUndefined();
    expect(await setUp(302, '/login').find(old, undefined)).toBeUndefined();
    expect(await setUp(200).find(old, undefined)).toBeUndefined();
  });

  it('is asked without a token over http, and not at all over ssh', async () => {
    const { find, asked } = setUp(200);
    await find('http://git.example.com/acme/shop.git', 'a-token');
    await find('git@git.example.com:acme/shop.git', 'a-token');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.request.headers).toBeUndefined();
  });

  it('is asked once a day, and sooner where the forge was silent', async () => {
    const known = setUp(200);
    const silent = setUp(0);
    for (const { find, advance } of [known, silent]) {
      expect(await find(old, undefined)).toBeUndefined();
      await find(old, undefined);
      advance(11 * 60_000);
      await find(old, undefined);
    }
    expect([known.asked.length, silent.asked.length]).toEqual([1, 2]);
    known.advance(24 * 60 * 60_000);
    await known.find(old, undefined);
    expect(known.asked).toHaveLength(2);
  });
});
