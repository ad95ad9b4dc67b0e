import { fail } from '../../domain/failure.ts';

/** Longest message that is kept, in characters; skip marks beyond it are not seen. */
const maxMessage = 16_384;
const maxName = 256;
/** Letters, digits and the marks that mean nothing to a shell, to YAML or to a template. */
const safePattern = /^[\p{L}\p{N}_][\p{L}\p{N} ._/@+=,#-]*$/u;
const refPattern = /^[\p{L}\p{N}_][\p{L}\p{N}._/@+=,#-]{0,249}$/u;
const commitPattern = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
/** Control characters, halves of surrogate pairs, and marks that turn the direction of text around. */
const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

/** Free text from a delivery, cut and without control characters except tab and line feed. */
export function readMessage(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text === '') return undefined;
  return text.slice(0, maxMessage).replaceAll('\r\n', '\n').replace(harmful, '\ufffd');
}

/** A name or title: one line of at most 256 characters; undefined for an empty one. */
export function readLine(text: string | null | undefined): string | undefined {
  const line = text?.slice(0, maxName).replace(/\s+/g, ' ').replace(harmful, '\ufffd').trim();
  return line === undefined || line === '' ? undefined : line;
}

/**
 * True for a text that a template may put anywhere (DESIGN.md §5: what comes from outside the task's owner matches a safe set of characters, or
 * the run is refused). Titles and names of a delivery are checked with it before they are offered to templates.
 */
export function isSafeText(text: string): boolean {
  return text.length <= maxName && safePattern.test(text);
}

/** Why a ref or a part of it cannot be used, or undefined when it can: the rules of `git check-ref-format`, and fewer characters. */
function judgeRef(ref: string): string | undefined {
  if (!refPattern.test(ref)) return 'is too long, or holds characters that a ref cannot have here';
  const parts = ref.split('/');
  if (ref.includes('..') || ref.includes('@{') || ref === '@') return 'is no valid git ref';
  return parts.some((part) => part === '' || /^\.|\.lock$|\.$/.test(part)) ? 'is no valid git ref' : undefined;
}

/**
 * A ref or branch name that is safe to give to git and to templates.
 * @throws `invalid-request` naming `field`.
 */
export function readRef(text: string, field: string): string {
  const fault = judgeRef(text);
  if (fault === undefined) return text;
  throw fail('invalid-request', `${field} ${fault}`, {
    field,
    hint: 'branches and tags that start runs hold letters, digits and . _ / @ + = , # - only',
  });
}

/**
 * A full commit id, in lower case (SHA-1 or SHA-256).
 * @throws `invalid-request` naming `field`.
 */
export function readCommit(text: string, field: string): string {
  const commit = text.toLowerCase();
  if (commitPattern.test(commit)) return commit;
  throw fail('invalid-request', `${field} is no full commit id`, { field });
}

/** True for the all-zero id that forges send for "there is none". */
export function isNoCommit(text: string | null | undefined): boolean {
  return text === null || text === undefined || /^0*$/.test(text);
}

/** The ids of a repository as text, empty ones left out. */
export function toIds(ids: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  const kept = Object.entries(ids).flatMap(([name, value]) => {
    const text = readLine(value === undefined ? undefined : String(value));
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(kept);
}
