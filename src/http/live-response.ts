import type { Response } from 'express';

/** An answer that is written bit by bit while something goes on. */
export interface LiveResponse {
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /**
   * Writes a text. What is written in one turn of the event loop leaves together, and at once. Resolves when the client has taken
   * enough that more may be written: a slow client holds up its own stream, and no memory.
   */
  write(text: string): Promise<void>;
  /** Writes a text unless the client is behind; for signs of life. */
  writeIfIdle(text: string): void;
  end(): void;
}

/** Sends the headers and opens the stream. Rests on a response that nothing was written to. */
export function openLiveResponse(response: Response): LiveResponse {
  const stopper = new AbortController();
  let isCorked = false;
  const flush = (): void => {
    if (!isCorked) return;
    isCorked = false;
    response.uncork();
  };
  response.once('close', () => stopper.abort());
  response.socket?.setNoDelay(true);
  response.flushHeaders();
  return {
    signal: stopper.signal,
    async write(text) {
      if (stopper.signal.aborted) return;
      if (!isCorked) {
        isCorked = true;
        response.cork();
        setImmediate(flush);
      }
      if (response.write(text)) return;
      flush();
      if (response.writableNeedDrain) await waitForDrain(response, stopper.signal);
    },
    writeIfIdle(text) {
      if (!stopper.signal.aborted && !response.writableNeedDrain) response.write(text);
    },
    end() {
      flush();
      response.end();
    },
  };
}

async function waitForDrain(response: Response, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
