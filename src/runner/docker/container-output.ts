import type { Readable } from 'node:stream';
import type { StepIo } from '../../engine/ports.ts';
import { createLineSplitter, type LineSplitter } from './lines.ts';

function withTap(splitter: LineSplitter, tap: ((chunk: Buffer) => void) | undefined): SplitBytes {
  if (tap === undefined) return splitter;
  return {
    write: (chunk) => {
      tap(chunk);
      splitter.write(chunk);
    },
    flush: () => splitter.flush(),
  };
}

interface SplitBytes {
  write(chunk: Buffer): void;
  flush(): void;
}

/** Takes the bytes of an attached container; {@link flush} when there are no more. */
export interface OutputReader {
  write(chunk: Buffer): void;
  flush(): void;
}

/**
 * Reads the frames in which the engine mixes a container's two streams (Engine API, "Attach to a container": one byte for the stream, three
 * of padding, four for the length) and hands on each line the moment it is whole. With `isTerminal` there are no frames, and one stream.
 * `tap` is given the bytes of the standard output as they are.
 */
export function createOutputReader(
  io: Pick<StepIo, 'output'>,
  isTerminal: boolean,
  tap?: (chunk: Buffer) => void,
): OutputReader {
  const stdout = withTap(
    createLineSplitter((line) => io.output('stdout', line)),
    tap,
  );
  const stderr = createLineSplitter((line) => io.output('stderr', line));
  const flush = (): void => {
    stdout.flush();
    stderr.flush();
  };
  if (isTerminal) return { write: (chunk) => stdout.write(chunk), flush };
  const header = Buffer.alloc(8);
  let [headerBytes, left] = [0, 0];
  let target: SplitBytes = stdout;
  const take = (chunk: Buffer): Buffer => {
    if (left > 0) {
      target.write(chunk.subarray(0, left));
      const rest = chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
      return rest;
    }
    const part = chunk.subarray(0, 8 - headerBytes);
    part.copy(header, headerBytes);
    headerBytes += part.length;
    if (headerBytes === 8) {
      headerBytes = 0;
      target = header[0] === 2 ? stderr : stdout;
      left = header.readUInt32BE(4);
    }
    return chunk.subarray(part.length);
  };
  return {
    write: (chunk) => {
      for (let rest = chunk; rest.length > 0;) rest = take(rest);
    },
    flush,
  };
}

/** Output that is being followed. */
export interface FollowedOutput {
  /** Resolves when there is no more to come. */
  readonly ended: Promise<void>;
  /** Waits for the end, but not longer than `idleMs` milliseconds in which nothing comes; then lets go. */
  drain(idleMs: number): Promise<void>;
  /** Lets go at once; nothing is written afterwards. */
  close(): void;
}

/** Follows an attached container's stream to its end. A stream that breaks has ended. */
export function followOutput(stream: Readable, reader: OutputReader): FollowedOutput {
  let lastAt = performance.now();
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      if (!isOver) reader.flush();
      isOver = true;
      resolve();
    };
    stream.on('data', (chunk: Buffer) => {
      lastAt = performance.now();
      if (!isOver) reader.write(chunk);
    });
    stream.once('end', end).once('error', end).once('close', end);
  });
  return {
    ended,
    drain: async (idleMs) => {
      const timer = setInterval(() => {
        if (performance.now() - lastAt >= idleMs) stream.destroy();
      }, idleMs / 4);
      lastAt = performance.now();
      await ended.finally(() => clearInterval(timer));
    },
    close: () => {
      isOver = true;
      stream.destroy();
    },
  };
}
