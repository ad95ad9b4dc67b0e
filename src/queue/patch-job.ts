import { createHash } from 'node:crypto';
import type { PatchJob } from './ports.ts';

/**
 * The jobs that are done in a line of their own: what is learned, asked for or told may take as long as a slow source, registry or endpoint
 * does.
 */
export const patchLines = ['campaigns', 'asking', 'learning'] as const;
export type PatchLine = (typeof patchLines)[number];

/** True for word of an image whose registry is asked what there is to it. */
function mustBeAsked(job: PatchJob): boolean {
  return job.kind === 'told' && (job.update.source === 'hook' || job.update.source === 'manual');
}

export function lineOf(job: PatchJob): PatchLine {
  if (job.kind === 'learn' || job.kind === 'tell') return 'learning';
  return mustBeAsked(job) ? 'asking' : 'campaigns';
}

function partsOf(job: PatchJob): readonly unknown[] {
  switch (job.kind) {
    case 'learn':
      return [job.task.toLowerCase(), job.taskVersion];
    case 'told': {
      const { image, source, at, by } = job.update;
      return [image.registry, image.repository, image.tag, image.digest, source, at, by];
    }
    case 'look':
      return [];
    case 'tell': {
      const { task, campaign, try: number } = job.news;
      return [task.toLowerCase(), campaign, number];
    }
  }
}

/** What a job is known by: the same for the same job, whatever the order of its fields. Without a colon. */
export function patchKeyOf(job: PatchJob): string {
  const parts = JSON.stringify(partsOf(job));
  return `${job.kind}-${createHash('sha256').update(parts).digest('hex').slice(0, 32)}`;
}

const minuteMs = 60_000;
const mostPauseMs: Readonly<Record<PatchJob['kind'], number>> = {
  told: minuteMs,
  look: 5000,
  learn: 15 * minuteMs,
  tell: 60 * minuteMs,
};

/**
 * How often a job is tried: what was told must not be lost, while a source that cannot be read for hours is learned from at the next run,
 * and an endpoint that takes nothing for about half a day is not told.
 */
export const patchTries: Readonly<Record<PatchJob['kind'], number>> = { told: 1000, look: 1000, learn: 12, tell: 24 };

/** Milliseconds to wait after the n-th try (n = 1, 2, …) of a job failed, when the first pause is `firstMs`; `random` is n, 0 ≤ n < 1. */
export function patchPause(kind: PatchJob['kind'], tries: number, firstMs: number, random: number): number {
  const pause = Math.min(firstMs * 2 ** Math.min(tries - 1, 30), mostPauseMs[kind]);
  return Math.round(pause * (0.5 + 0.5 * random));
}
