import { FailureError } from '../../domain/failure.ts';
import type { ForgeApi, ForgeClient } from '../forge/api.ts';
import type { ForgeAnswer, SendToForge } from '../forge/send.ts';
import { buildStatusRequest } from './requests.ts';
import type { CommitStatus } from './status.ts';

/** What became of a report: `retry` it later, or leave it because it will never be taken (`gone`). */
export type ReportResult =
  | { readonly verdict: 'done' }
  | { readonly verdict: 'retry'; readonly because: string; readonly retryAfterSeconds?: number }
  | { readonly verdict: 'gone'; readonly because: string };

/** Tells one forge how runs of one repository go. */
export interface CommitStatusReporter {
  /** Reports once; whether and when to try again is for the caller. Rejects only with the signal's reason, or for a bug. */
  report(status: CommitStatus, signal?: AbortSignal): Promise<ReportResult>;
}

/** Makes the reporter of a repository (see `openForge`); `send` is `createForgeSender`'s. */
export function createCommitStatusReporter(forge: ForgeClient, send: SendToForge): CommitStatusReporter {
  return {
    report: async (status, signal) => {
      try {
        return judgeAnswer(forge.api, await send(buildStatusRequest(forge, status), signal));
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        const { reason, message } = error.failure;
        const isPassing = reason === 'source-unavailable' || reason === 'timed-out';
        return { verdict: isPassing ? 'retry' : 'gone', because: message };
      }
    },
  };
}

/** Too many requests, or a server that is not itself. */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** GitHub says 403 for its rate limits, and means "later" only with one of these headers (its docs: "Rate limits"). */
function isRateLimit({ status, headers }: ForgeAnswer): boolean {
  return status === 403 && (headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0');
}

/** What a forge's answer means for the report. */
export function judgeAnswer(api: ForgeApi, answer: ForgeAnswer): ReportResult {
  const { status, text } = answer;
  if (status >= 200 && status < 300) return { verdict: 'done' };
  // GitLab refuses a state that is there already: a report that was sent twice.
  if (api === 'gitlab' && status === 400 && text.includes('Cannot transition status')) return { verdict: 'done' };
  return isPassing(status) || isRateLimit(answer) ? later(answer) : { verdict: 'gone', because: explain(status) };
}

function later({ status, headers }: ForgeAnswer): ReportResult {
  const seconds = /^\d{1,6}$/.exec(headers['retry-after'] ?? '')?.[0];
  const retry = { verdict: 'retry', because: `the forge answers ${String(status)}` } as const;
  return seconds === undefined ? retry : { ...retry, retryAfterSeconds: Math.min(Number(seconds), 3600) };
}

function explain(status: number): string {
  if (status === 401) return 'the forge does not know the token (401)';
  if (status === 403) return 'the token may not set commit statuses (403)';
  if (status === 404) return 'the forge finds no such repository or commit with this token (404)';
  return `the forge refuses the status (${String(status)})`;
}
