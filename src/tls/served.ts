import { watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../domain/clock.ts';
import { dueDays } from './own-files.ts';
import { readPair, type Pair, type PairFiles } from './pair.ts';

/** A certificate that is shown by a server, and followed on disk. */
export interface ServedCertificate {
  /** The newest pair that was good. */
  pair(): Pair;
  /** Reads the files again, whether they changed or not. Never rejects: what cannot be used is logged, and the old pair stays. */
  reload(): Promise<void>;
  close(): void;
}

export interface ServedOptions {
  readonly files: PairFiles;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Hears of every new pair; what it throws is logged. */
  readonly onPair: (pair: Pair) => void;
  /** Done before each look at the files: an own certificate is renewed there when it is due. What it throws is logged. */
  readonly tend?: () => Promise<unknown>;
  /** Between two looks at the files, milliseconds: what a watch misses (network file systems, mounts) is found then. */
  readonly lookMs?: number;
  /** How long files must be left alone before they are read, milliseconds: certificate and key are written one after the other. */
  readonly settleMs?: number;
}

const dayMs = 86_400_000;

/** What must be said of a pair's end: nothing, a warning from 30 days before, an error after. `now`: milliseconds since 1970. */
export function judgeEnd(
  { validUntil, leaf }: Pair,
  now: number,
): { level: 'warn' | 'error'; text: string } | undefined {
  if (now > validUntil) return { level: 'error', text: `the certificate of this server expired on ${leaf.validTo}` };
  const days = Math.floor((validUntil - now) / dayMs);
  if (days >= dueDays) return undefined;
  return { level: 'warn', text: `the certificate of this server expires in ${days} days, on ${leaf.validTo}` };
}

/** What changes when a file does; the empty text for one that is not there. */
async function stampOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? '' : `${found.mtimeMs} ${found.ctimeMs} ${found.size} ${found.ino}`;
}

/** Calls `onChange` for whatever happens in the files' directories, where links may be moved. Without watches, the looks remain. */
function watchDirectories({ certFile, keyFile }: PairFiles, onChange: () => void): () => void {
  const watchers = [...new Set([dirname(certFile), dirname(keyFile)])].flatMap((directory) => {
    try {
      return [watch(directory, { persistent: false }, onChange).on('error', () => undefined)];
    } catch {
      return [];
    }
  });
  return () => watchers.forEach((one) => one.close());
}

class Follower implements ServedCertificate {
  readonly #options: ServedOptions;
  #pair: Pair;
  #stamp: string;
  #saidAt = -Infinity;
  #settling: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #stop: () => void;

  constructor(options: ServedOptions, pair: Pair, stamp: string) {
    this.#options = options;
    this.#pair = pair;
    this.#stamp = stamp;
    this.#sayEnd();
    const looking = setInterval(() => void this.#look(), options.lookMs ?? 60_000).unref();
    const unwatch = watchDirectories(options.files, () => this.#settle());
    this.#stop = () => {
      clearInterval(looking);
      clearTimeout(this.#settling);
      unwatch();
    };
  }

  pair(): Pair {
    return this.#pair;
  }

  close(): void {
    this.#stop();
  }

  /** One reading at a time, in order. */
  reload(): Promise<void> {
    this.#work = this.#work.then(() => this.#read());
    return this.#work;
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.#readIfChanged(), this.#options.settleMs ?? 200).unref();
  }

  async #look(): Promise<void> {
    try {
      await this.#options.tend?.();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the certificate of this server could not be renewed');
    }
    this.#sayEnd();
    await this.#readIfChanged();
  }

  async #readIfChanged(): Promise<void> {
    if ((await stampOfPair(this.#options.files)) !== this.#stamp) await this.reload();
  }

  async #read(): Promise<void> {
    const { files, clock, logger, onPair } = this.#options;
    this.#stamp = await stampOfPair(files);
    try {
      const pair = await readPair(files, clock.now());
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return;
      onPair(pair);
      this.#pair = pair;
      this.#saidAt = -Infinity;
      logger.info({ ...describePair(pair) }, 'the certificate of this server was replaced');
      this.#sayEnd();
    } catch (error) {
      logger.error({ err: error }, 'the new certificate cannot be used; the one before stays');
    }
  }

  /** Once a day is enough. */
  #sayEnd(): void {
    const { clock, logger } = this.#options;
    const now = clock.now();
    const said = judgeEnd(this.#pair, now);
    if (said === undefined || now - this.#saidAt < dayMs) return;
    this.#saidAt = now;
    logger[said.level](describePair(this.#pair), said.text);
  }
}

async function stampOfPair({ certFile, keyFile }: PairFiles): Promise<string> {
  return `${await stampOf(certFile)} ${await stampOf(keyFile)}`;
}

function describePair({ leaf }: Pair): { readonly fingerprint: string; readonly validUntil: string } {
  return { fingerprint: leaf.fingerprint256, validUntil: leaf.validTo };
}

/**
 * Reads a certificate and follows it on disk: at every change, at least once a minute, and when it is asked to.
 * @throws like {@link readPair} when the pair that is there now cannot be used.
 */
export async function serveCertificate(options: ServedOptions): Promise<ServedCertificate> {
  const stamp = await stampOfPair(options.files);
  return new Follower(options, await readPair(options.files, options.clock.now()), stamp);
}
