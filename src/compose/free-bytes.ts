import { statfs } from 'node:fs/promises';
import type { Clock } from '../domain/clock.ts';

/** How long an answer is good: uploads come faster than a disk fills. */
const freshMs = 1000;

/** How many bytes a directory's disk has free for us, asked at most once a second; undefined when it does not say. */
export function createFreeBytes(directory: string, clock: Clock): () => Promise<number | undefined> {
  let [asked, answer] = [-Infinity, Promise.resolve<number | undefined>(undefined)];
  return () => {
    const now = clock.now();
    if (now - asked >= freshMs || now < asked) {
      asked = now;
      answer = statfs(directory).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => undefined,
      );
    }
    return answer;
  };
}
