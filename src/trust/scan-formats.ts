import { isObject, listAt, objectAt, textAt, type Json } from './json.ts';
import { quote } from './refusal.ts';
import {
  countFindings,
  severityOfScore,
  severityOfWord,
  worstOf,
  type ScanSummary,
  type Severity,
} from './scan-summary.ts';

/** What a report in one format says. */
export interface ReadReport {
  readonly format: 'sarif' | 'cyclonedx' | 'trivy';
  readonly mediaType: string;
  readonly summary: ScanSummary;
  /** The scanner's name and version, when the report says them. */
  readonly scanner?: string;
}

/** Reads a report in JSON; undefined when it is in none of the formats that can be counted. */
export function readKnownFormat(json: Json): ReadReport | undefined {
  return readSarif(json) ?? readCycloneDx(json) ?? readTrivy(json);
}

/** SARIF 2.1.0 (OASIS). Results that passed, are suppressed or have gone are no findings. */
function readSarif(json: Json): ReadReport | undefined {
  if (!/^2\.1(?:\.|$)/.test(textAt(json, 'version') ?? '') || !Array.isArray(json['runs'])) return undefined;
  const runs = objects(listAt(json, 'runs'));
  const findings = runs.flatMap((run) => {
    const rules = indexRules(run);
    return objects(listAt(run, 'results')).flatMap((result) => judgeResult(result, rules));
  });
  const driver = objectAt(objectAt(runs[0] ?? {}, 'tool'), 'driver');
  const scanner = nameOf(driver, textAt(driver, 'semanticVersion') ?? textAt(driver, 'version'));
  return { format: 'sarif', mediaType: 'application/sarif+json', summary: countFindings(findings), ...scanner };
}

interface Rules {
  readonly list: readonly unknown[];
  readonly byId: ReadonlyMap<string, Json>;
}

function indexRules(run: Json): Rules {
  const list = listAt(objectAt(objectAt(run, 'tool'), 'driver'), 'rules');
  return { list, byId: new Map(objects(list).map((rule) => [textAt(rule, 'id') ?? '', rule])) };
}

function judgeResult(result: Json, rules: Rules): Severity[] {
  const kind = textAt(result, 'kind') ?? 'fail';
  if (kind !== 'fail') return kind === 'open' || kind === 'review' ? ['unknown'] : [];
  if (isSettled(result)) return [];
  const rule = findRule(result, rules);
  const score =
    objectAt(result, 'properties')['security-severity'] ?? objectAt(rule, 'properties')['security-severity'];
  const bySeverity = severityOfScore(score);
  if (bySeverity !== undefined) return [bySeverity];
  return severityOfLevel(
    textAt(result, 'level') ?? textAt(objectAt(rule, 'defaultConfiguration'), 'level') ?? 'warning',
  );
}

function isSettled(result: Json): boolean {
  const suppressions = objects(listAt(result, 'suppressions'));
  return result['baselineState'] === 'absent' || suppressions.some(({ status = 'accepted' }) => status === 'accepted');
}

function findRule(result: Json, { list, byId }: Rules): Json {
  const reference = objectAt(result, 'rule');
  const index = result['ruleIndex'] ?? reference['index'];
  const byIndex = typeof index === 'number' ? list[index] : undefined;
  if (isObject(byIndex)) return byIndex;
  return byId.get(textAt(result, 'ruleId') ?? textAt(reference, 'id') ?? '') ?? {};
}

function severityOfLevel(level: string): Severity[] {
  if (level === 'error') return ['high'];
  if (level === 'warning') return ['medium'];
  if (level === 'note') return ['low'];
  return level === 'none' ? [] : ['unknown'];
}

/** States of a VEX analysis that say "this is none of ours". */
const settledStates = ['resolved', 'resolved_with_pedigree', 'false_positive', 'not_affected'];

/** CycloneDX 1.4 and later: a bill of vulnerabilities, or a VEX document whose analysis takes some of them back. */
function readCycloneDx(json: Json): ReadReport | undefined {
  if (json['bomFormat'] !== 'CycloneDX') return undefined;
  const findings = objects(listAt(json, 'vulnerabilities')).flatMap(judgeVulnerability);
  const tools = objectAt(json, 'metadata')['tools'];
  const [tool = {}] = objects(Array.isArray(tools) ? tools : isObject(tools) ? listAt(tools, 'components') : []);
  // A bill of materials without the list was not scanned; an empty list was, and nothing was found.
  const summary = { ...countFindings(findings), isCounted: Array.isArray(json['vulnerabilities']) };
  const scanner = nameOf(tool, textAt(tool, 'version'));
  return { format: 'cyclonedx', mediaType: 'application/vnd.cyclonedx+json', summary, ...scanner };
}

function judgeVulnerability(vulnerability: Json): Severity[] {
  if (settledStates.includes(textAt(objectAt(vulnerability, 'analysis'), 'state') ?? '')) return [];
  const ratings = objects(listAt(vulnerability, 'ratings'));
  const words = ratings.map(({ severity }) => severity).filter((word) => typeof word === 'string');
  const rated = words.filter((word) => word !== 'none' && word !== 'info').map(severityOfWord);
  const scored = ratings.flatMap(({ severity, score }) =>
    severity === undefined ? (severityOfScore(score) ?? []) : [],
  );
  const worst = worstOf([...rated, ...scored]);
  if (worst !== undefined) return [worst];
  return words.length > 0 ? [] : ['unknown'];
}

/** Trivy's own JSON (schema version 2): vulnerabilities, leaked secrets and misconfigurations that failed. */
function readTrivy(json: Json): ReadReport | undefined {
  const isTrivy = typeof json['SchemaVersion'] === 'number' && ('ArtifactName' in json || 'Results' in json);
  if (!isTrivy) return undefined;
  const findings = objects(listAt(json, 'Results')).flatMap((result) => [
    ...objects(listAt(result, 'Vulnerabilities')),
    ...objects(listAt(result, 'Secrets')),
    ...objects(listAt(result, 'Misconfigurations')).filter(({ Status: status }) => (status ?? 'FAIL') === 'FAIL'),
  ]);
  const summary = countFindings(findings.map(({ Severity: severity }) => severityOfWord(severity)));
  const version = textAt(objectAt(json, 'Trivy'), 'Version');
  const scanner = nameOf({ name: 'Trivy' }, version);
  return { format: 'trivy', mediaType: 'application/vnd.aquasec.trivy.report+json', summary, ...scanner };
}

function objects(list: readonly unknown[]): Json[] {
  return list.filter(isObject);
}

function nameOf(tool: Json, version: string | undefined): { scanner?: string } {
  const name = textAt(tool, 'name');
  if (name === undefined) return {};
  return { scanner: quote(version === undefined ? name : `${name} ${version}`) };
}
