/** How many findings a scanner has, by severity. */
export interface ScanSummary {
  /** False when the report says nothing that can be counted (plain text): its zeros mean "not known". */
  readonly isCounted: boolean;
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly unknown: number;
}

export const severities = ['critical', 'high', 'medium', 'low', 'unknown'] as const;

export type Severity = (typeof severities)[number];

/** The summary of a list of findings. */
export function countFindings(findings: Iterable<Severity>): ScanSummary {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 };
  for (const severity of findings) counts[severity] += 1;
  return { isCounted: true, ...counts };
}

/** The summary of a report that cannot be counted. */
export const uncounted: ScanSummary = { ...countFindings([]), isCounted: false };

/** The severity of a CVSS score from 0 to 10 (CVSS v3.1 and v4.0, "Qualitative Severity Rating Scale"); 0 is no finding. */
export function severityOfScore(score: unknown): Severity | undefined {
  const number = typeof score === 'string' && score.trim() !== '' ? Number(score) : score;
  if (typeof number !== 'number' || Number.isNaN(number)) return undefined;
  if (number >= 9) return 'critical';
  if (number >= 7) return 'high';
  if (number >= 4) return 'medium';
  return number > 0 ? 'low' : undefined;
}

/** The severity of a scanner's word; `negligible` counts as low, what is no word of ours as unknown. */
export function severityOfWord(word: unknown): Severity {
  const lower = typeof word === 'string' ? word.toLowerCase() : '';
  if (lower === 'negligible' || lower === 'minor') return 'low';
  if (lower === 'moderate') return 'medium';
  if (lower === 'important') return 'high';
  return severities.find((severity) => severity === lower) ?? 'unknown';
}

/** The worst of some severities; undefined of none. */
export function worstOf(found: readonly Severity[]): Severity | undefined {
  return severities.find((severity) => found.includes(severity));
}
