import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureError } from '../../src/domain/failure.ts';
import { decideQuarantine, parseQuarantineRule } from '../../src/trust/quarantine.ts';
import { buildReportArtifact, maxReportBytes, readScanReport } from '../../src/trust/scan-report.ts';
import { countFindings, uncounted } from '../../src/trust/scan-summary.ts';
import { digestOf, now, ociManifest } from './rig.ts';

const read = (value: unknown) => readScanReport(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
const counts = (...numbers: number[]) => {
  const [critical = 0, high = 0, medium = 0, low = 0, unknown = 0] = numbers;
  return { isCounted: true, critical, high, medium, low, unknown };
};

describe("a scanner's report", () => {
  it('in SARIF is counted by the score of result or rule, then by the level', () => {
    const rules = [
      { id: 'CVE-1', properties: { 'security-severity': '9.8' } },
      { id: 'CVE-2', properties: { 'security-severity': '5.5' }, defaultConfiguration: { level: 'error' } },
      { id: 'CVE-3', defaultConfiguration: { level: 'note' } },
    ];
    const results = [
      { ruleId: 'CVE-1', ruleIndex: 0, level: 'note' },
      { ruleId: 'CVE-1', properties: { 'security-severity': 7.1 } },
      { ruleId: 'CVE-2' },
      { rule: { index: 2 } },
      { ruleId: 'CVE-9' },
      { ruleId: 'CVE-9', level: 'error' },
      { ruleId: 'CVE-9', level: 'none' },
      { ruleId: 'CVE-1', kind: 'pass' },
      { ruleId: 'CVE-1', kind: 'open' },
      { ruleId: 'CVE-1', suppressions: [{ kind: 'external' }] },
      { ruleId: 'CVE-1', suppressions: [{ status: 'rejected' }], ruleIndex: 0 },
      { ruleId: 'CVE-1', baselineState: 'absent' },
    ];
    const driver = { name: 'Grype', semanticVersion: '0.90.0', rules };
    expect(read({ version: '2.1.0', runs: [{ tool: { driver }, results }] })).toEqual({
      format: 'sarif',
      mediaType: 'application/sarif+json',
      scanner: 'Grype 0.90.0',
      summary: counts(2, 2, 2, 1, 1),
    });
  });

  it('in CycloneDX is counted by the worst rating, without what a VEX analysis takes back', () => {
    const vulnerabilities = [
      { id: 'A', ratings: [{ severity: 'low' }, { severity: 'critical' }] },
      { id: 'B', ratings: [{ method: 'CVSSv31', score: 7.5 }] },
      { id: 'C', ratings: [{ severity: 'info' }] },
      { id: 'D' },
      { id: 'E', ratings: [{ severity: 'critical' }], analysis: { state: 'not_affected' } },
      { id: 'F', ratings: [{ severity: 'medium' }], analysis: { state: 'exploitable' } },
    ];
    const tools = { components: [{ name: 'trivy', version: '0.70.0' }] };
    const report = { bomFormat: 'CycloneDX', specVersion: '1.6', metadata: { tools }, vulnerabilities };
    expect(read(report)).toEqual({
      format: 'cyclonedx',
      mediaType: 'application/vnd.cyclonedx+json',
      scanner: 'trivy 0.70.0',
      summary: counts(1, 1, 1, 0, 1),
    });
  });

  it('in CycloneDX is not counted when it is only a bill of materials', () => {
    expect(read({ bomFormat: 'CycloneDX', components: [] }).summary).toEqual(uncounted);
    expect(read({ bomFormat: 'CycloneDX', vulnerabilities: [] }).summary).toEqual(counts());
  });

  it('of Trivy counts vulnerabilities, secrets and what is configured wrong', () => {
    const report = {
      SchemaVersion: 2,
      Trivy: { Version: '0.70.0' },
      ArtifactName: 'team/app',
      Results: [
        { Target: 'a', Vulnerabilities: [{ Severity: 'CRITICAL' }, { Severity: 'UNKNOWN' }, { Severity: 'WEIRD' }] },
        { Target: 'b', Secrets: [{ Severity: 'HIGH' }] },
        {
          Target: 'c',
          Misconfigurations: [
            { Severity: 'LOW', Status: 'PASS' },
            { Severity: 'MEDIUM', Status: 'FAIL' },
          ],
        },
        { Target: 'd', Vulnerabilities: null },
      ],
    };
    expect(read(report)).toEqual({
      format: 'trivy',
      mediaType: 'application/vnd.aquasec.trivy.report+json',
      scanner: 'Trivy 0.70.0',
      summary: counts(1, 1, 1, 0, 2),
    });
  });

  it.each<[string, string | Buffer, string, string]>([
    ['other JSON', '{"findings":[]}', 'json', 'application/json'],
    ['text', '2 findings\n', 'text', 'text/plain'],
    ['anything else', Buffer.from([0x1f, 0x8b, 0]), 'binary', 'application/octet-stream'],
  ])('in %s is kept uncounted', (_name, bytes, format, mediaType) => {
    expect(readScanReport(Buffer.from(bytes))).toEqual({ format, mediaType, summary: uncounted });
  });

  it('is refused when it is empty or too large', () => {
    expect(() => read('')).toThrow('no report');
    expect(() => readScanReport(Buffer.alloc(maxReportBytes + 1))).toThrow('16 MiB');
  });

  it('is read whatever it holds', () => {
    const known = fc.constantFrom({ version: '2.1.0' }, { bomFormat: 'CycloneDX' }, { SchemaVersion: 2, Results: [] });
    const part = fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(fc.string(), fc.jsonValue())));
    const fields = fc.record(
      { runs: part, vulnerabilities: part, Results: part, metadata: part, Trivy: part },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(known, fields, (head, more) => void read({ ...head, ...more })));
    fc.assert(fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => void readScanReport(bytes)));
    const noNumber = { toString: 1, valueOf: 1 };
    const results = [{ ruleIndex: noNumber, ruleId: noNumber, level: noNumber, rule: { index: noNumber } }];
    expect(read({ version: '2.1.0', runs: [{ results }] }).summary).toEqual(counts(0, 0, 1));
    expect(read('['.repeat(100_000)).format).toBe('text');
  });
});

describe('the artifact that keeps a report', () => {
  const bytes = Buffer.from('{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"Severity":"HIGH"}]}]}');
  const subject = { mediaType: ociManifest, digest: digestOf(Buffer.from('image')), size: 5 };

  it("is a referrer of the image, its type the report's, its blobs by their digests", () => {
    const artifact = buildReportArtifact(bytes, readScanReport(bytes), { subject, at: now });
    const manifest = JSON.parse(Buffer.from(artifact.manifest.bytes).toString());
    expect(manifest).toEqual({
      schemaVersion: 2,
      mediaType: ociManifest,
      artifactType: 'application/vnd.aquasec.trivy.report+json',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
      },
      layers: [
        {
          mediaType: 'application/vnd.aquasec.trivy.report+json',
          digest: digestOf(bytes),
          size: bytes.length,
          annotations: { 'org.opencontainers.image.title': 'scan-report.json' },
        },
      ],
      subject,
      annotations: {
        'org.opencontainers.image.created': '2026-06-01T12:00:00.000Z',
        'dev.slipway.scan.scanner': 'Trivy',
        'dev.slipway.scan.summary': '{"critical":0,"high":1,"medium":0,"low":0,"unknown":0}',
      },
    });
    expect(artifact.manifest.digest).toBe(digestOf(artifact.manifest.bytes));
    expect(artifact.blobs.map(({ digest }) => digest)).toEqual([manifest.config.digest, manifest.layers[0].digest]);
  });

  it('names the scanner that it is told, and has no counts where there are none', () => {
    const text = Buffer.from('fine');
    const facts = { subject, at: now, scanner: 'scanners/own:1' };
    const artifact = buildReportArtifact(text, readScanReport(text), facts);
    const { annotations, artifactType } = JSON.parse(Buffer.from(artifact.manifest.bytes).toString());
    expect(artifactType).toBe('text/plain');
    expect(annotations).toMatchObject({
      'dev.slipway.scan.scanner': 'scanners/own:1',
      'dev.slipway.scan.summary': '{}',
    });
  });
});

describe('quarantine', () => {
  it('fails an image from a number of findings on, and says which', () => {
    const rule = parseQuarantineRule({ critical: 1, high: 3 });
    expect(decideQuarantine(countFindings(['high', 'high', 'low']), rule)).toEqual({ state: 'Passed', because: [] });
    expect(decideQuarantine(countFindings(['high', 'high', 'high', 'critical']), rule)).toEqual({
      state: 'Failed',
      because: ['critical: 1 found, 1 fail an image', 'high: 3 found, 3 fail an image'],
    });
  });

  it('takes a report that cannot be counted for a bad one unless told otherwise', () => {
    expect(decideQuarantine(uncounted, parseQuarantineRule({ critical: 1 })).state).toBe('Failed');
    expect(decideQuarantine(uncounted, parseQuarantineRule({ critical: 1, uncounted: 'pass' })).state).toBe('Passed');
  });

  it.each<[unknown, string | undefined]>([
    [7, undefined],
    [{}, 'critical'],
    [{ critical: 0 }, 'critical'],
    [{ high: '3' }, 'high'],
    [{ severe: 1 }, 'severe'],
    [{ critical: 1, uncounted: 'maybe' }, 'uncounted'],
  ])('refuses the rule %j, the field named', (value, field) => {
    try {
      parseQuarantineRule(value);
      expect.unreachable();
    } catch (error) {
      expect((error as FailureError).failure).toMatchObject({ reason: 'invalid-request', ...(field && { field }) });
    }
  });
});
