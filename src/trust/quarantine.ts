import { fail } from '../domain/failure.ts';
import { isObject } from './json.ts';
import { severities, type ScanSummary, type Severity } from './scan-summary.ts';

/** From how many findings of a severity on an image fails. A severity that is left out never fails it. */
export interface QuarantineRule {
  readonly limits: Readonly<Partial<Record<Severity, number>>>;
  /** What a report that cannot be counted means. */
  readonly uncounted: 'fail' | 'pass';
}

/** What becomes of a scanned image, in the words of `quarantineState`. */
export interface QuarantineDecision {
  readonly state: 'Passed' | 'Failed';
  /** One sentence for each limit that was reached. */
  readonly because: readonly string[];
}

/**
 * Reads a rule: `{"critical": 1, "high": 10, "uncounted": "pass"}`.
 * @throws `invalid-request` naming the field.
 */
export function parseQuarantineRule(value: unknown): QuarantineRule {
  if (!isObject(value)) throw fail('invalid-request', 'a quarantine rule is a JSON object');
  const names: readonly string[] = [...severities, 'uncounted'];
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw fail('invalid-request', `a quarantine rule has ${names.join(', ')} only`, { field: unknown.slice(0, 80) });
  const given = severities.filter((severity) => value[severity] !== undefined);
  const limits = Object.fromEntries(given.map((severity) => [severity, readLimit(severity, value[severity])]));
  const uncounted = value['uncounted'] ?? 'fail';
  if (uncounted !== 'fail' && uncounted !== 'pass')
    throw fail('invalid-request', 'uncounted: choose "fail" or "pass"', { field: 'uncounted' });
  if (given.length === 0)
    throw fail('invalid-request', 'a quarantine rule needs a limit, for example {"critical": 1}', {
      field: 'critical',
    });
  return { limits, uncounted };
}

function readLimit(field: Severity, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw fail('invalid-request', `${field}: give the number of findings, from 1, that fails an image`, { field });
}

/** Holds a summary against a rule. */
export function decideQuarantine(summary: ScanSummary, rule: QuarantineRule): QuarantineDecision {
  if (!summary.isCounted)
    return rule.uncounted === 'pass'
      ? { state: 'Passed', because: [] }
      : { state: 'Failed', because: ['the report has no findings that can be counted'] };
  const reached = severities.filter((severity) => summary[severity] >= (rule.limits[severity] ?? Infinity));
  const because = reached.map(
    (severity) => `${severity}: ${String(summary[severity])} found, ${String(rule.limits[severity])} fail an image`,
  );
  return { state: because.length === 0 ? 'Passed' : 'Failed', because };
}
