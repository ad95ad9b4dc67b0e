import { Transform, pipeline, type Readable, type TransformCallback } from 'node:stream';
import type { Context } from '../../source/ports.ts';

/** Passes bytes on, all but the last piece, which waits. */
class LastPiece extends Transform {
  private kept: Buffer | undefined;
  private readonly until: Promise<unknown>;

  constructor(until: Promise<unknown>) {
    super();
    this.until = until;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const before = this.kept;
    this.kept = chunk;
    done(null, before);
  }

  override _flush(done: TransformCallback): void {
    const end = (): void => done(null, this.kept);
    this.until.then(end, end);
  }
}

/**
 * A context whose end is sent only once `until` is settled. An engine begins to build when it has all of the context: what must be done
 * before can be done while the context is on its way.
 */
export function holdEnd(context: Context, until: Promise<unknown>): Context {
  const open = async (): Promise<Readable> => {
    const source = await context.open();
    const held = new LastPiece(until);
    // What breaks on one side breaks the other; whoever reads hears of it.
    pipeline(source, held, () => undefined);
    return held;
  };
  return { ...context, open };
}
