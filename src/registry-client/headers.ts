import type { AnswerHeaders } from './ports.ts';

/** The first value of a header. */
export function headerOf(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Milliseconds that `Retry-After` asks for: seconds or a date (RFC 9110 §10.2.3). */
export function readRetryAfter(headers: AnswerHeaders, nowMs: number): number | undefined {
  const text = headerOf(headers, 'retry-after');
  if (text === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** The next page of a list, if it is one of the same registry (RFC 8288; distribution-spec, "Listing Tags"). */
export function nextPage(headers: AnswerHeaders, url: string): string | undefined {
  const [, link] = /<([^>]+)>\s*;[^,]*\brel="?next\b/i.exec(headerOf(headers, 'link') ?? '') ?? [];
  if (link === undefined || !URL.canParse(link, url)) return undefined;
  const next = new URL(link, url);
  return next.origin === new URL(url).origin ? next.href : undefined;
}
