import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { holdEnd } from '../../src/runner/docker/held-context.ts';
import { aContext } from './rig.ts';

const context = (pieces: readonly string[]) => ({
  ...aContext({}),
  open: async () => Readable.from(pieces.map(Buffer.from)),
});

describe('a context whose end is held', () => {
  it('sends all but its last piece at once, and that when it may', async () => {
    let release = (): void => {};
    const until = new Promise<void>((resolve) => (release = resolve));
    const stream = await holdEnd(context(['a', 'b', 'c']), until).open();
    let seen = '';
    for await (const piece of stream as AsyncIterable<Buffer>) {
      seen += piece.toString();
      if (seen === 'ab') {
        await new Promise(setImmediate);
        expect(seen).toBe('ab');
        release();
      }
    }
    expect(seen).toBe('abc');
  });

  it('ends also when what it waits for went wrong, and when it is empty', async () => {
    const wrong = Promise.reject(new Error('x'));
    expect((await buffer(await holdEnd(context(['a']), wrong).open())).toString()).toBe('a');
    expect(await buffer(await holdEnd(context([]), Promise.resolve()).open())).toHaveLength(0);
  });

  it('breaks as the context does', async () => {
    const broken = {
      ...aContext({}),
      open: async () =>
        new Readable({
          read() {
            this.destroy(new Error('the disk is gone'));
          },
        }),
    };
    await expect(buffer(await holdEnd(broken, Promise.resolve()).open())).rejects.toThrow('the disk is gone');
  });

  it('lets go of the context when nobody wants it any more', async () => {
    const source = new Readable({ read: () => undefined });
    const stream = await holdEnd({ ...aContext({}), open: async () => source }, Promise.resolve()).open();
    stream.destroy();
    await new Promise((resolve) => source.once('close', resolve));
    expect(source.destroyed).toBe(true);
  });
});
