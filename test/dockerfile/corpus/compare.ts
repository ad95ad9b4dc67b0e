import { createHash } from 'node:crypto';
import type { CorpusCase, Resolved } from './case.ts';

/** What BuildKit found, with a mark of the case that it was asked. */
export interface RecordedCase extends Resolved {
  readonly of: string;
}

/** What is kept of one run through the corpus. */
export interface Recorded {
  /** The version of the engine. */
  readonly engine: string;
  readonly resolved: Readonly<Record<string, RecordedCase>>;
}

/** Tells a case from what it was before it was changed. */
export function markOf({ text, arguments: given, target, platform, triggers }: CorpusCase): string {
  const all = JSON.stringify([text, given, target, platform, triggers]);
  return createHash('sha256').update(all).digest('hex').slice(0, 12);
}

/** Whether an engine can be asked: of which version it is, and whether it has a mirror of Docker Hub. */
export function isForEngine(one: CorpusCase, version: string, hasMirror = false): boolean {
  if (one.expected !== undefined || (one.asksHub === true && !hasMirror)) return false;
  return (one.since ?? 0) <= Number.parseInt(version, 10);
}

/** In which way what we read is not what BuildKit resolved; undefined where it is. */
export function differenceOf(one: CorpusCase, truth: Resolved, read: Resolved): string | undefined {
  const tell = (why: string): string => `${why}\nBuildKit: ${JSON.stringify(truth)}\nwe: ${JSON.stringify(read)}`;
  if (one.asksFrontEnd === true) {
    const isAsked = truth.images.length === 1 && truth.images.every((image) => read.images.includes(image));
    return isAsked && read.refused === undefined ? undefined : tell('another front end');
  }
  if (truth.refused !== undefined) {
    return one.lenient !== undefined || read.refused !== undefined ? undefined : tell('BuildKit refuses it');
  }
  if (read.refused !== undefined) return tell('BuildKit takes it');
  if (truth.images.join() !== read.images.join()) return tell('other images');
  return one.asksHub === true || truth.runtime === read.runtime ? undefined : tell('another runtime');
}
