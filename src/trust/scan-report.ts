import { createHash } from 'node:crypto';
import type { Digest } from '../domain/digest.ts';
import { fail } from '../domain/failure.ts';
import { isObject, readJson } from './json.ts';
import { quote } from './refusal.ts';
import { readKnownFormat } from './scan-formats.ts';
import { severities, uncounted, type ScanSummary } from './scan-summary.ts';

/** The longest report that is kept. */
export const maxReportBytes = 16 * 1024 * 1024;
/** Scanners nest deeper than manifests do, never this deep. */
const maxDepth = 128;

/** A scanner's output, understood as far as it can be. */
export interface ScanReport {
  readonly format: 'sarif' | 'cyclonedx' | 'trivy' | 'json' | 'text' | 'binary';
  /** The media type of the report, which becomes the artifact type of the referrer. */
  readonly mediaType: string;
  readonly summary: ScanSummary;
  /** Who wrote it, when it says so: `Trivy 0.70.0`. */
  readonly scanner?: string;
}

/**
 * Says what a scanner's output is. Never refuses its contents: what is in no known format is kept as it is, uncounted.
 * @throws `too-large` beyond {@link maxReportBytes}, `invalid-request` when there is nothing.
 */
export function readScanReport(bytes: Uint8Array): ScanReport {
  if (bytes.length === 0) throw fail('invalid-request', 'the scanner wrote no report');
  if (bytes.length > maxReportBytes) throw fail('too-large', "the scanner's report is larger than 16 MiB");
  const json = readJson(bytes, maxDepth);
  const known = isObject(json) ? readKnownFormat(json) : undefined;
  if (known !== undefined) return known;
  if (json !== undefined) return { format: 'json', mediaType: 'application/json', summary: uncounted };
  if (isPrintable(bytes)) return { format: 'text', mediaType: 'text/plain', summary: uncounted };
  return { format: 'binary', mediaType: 'application/octet-stream', summary: uncounted };
}

function isPrintable(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** What a scan was about, and when. */
export interface ScanFacts {
  /** The descriptor of the image that was scanned. */
  readonly subject: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
  /** When the scan ended, in milliseconds since the epoch. */
  readonly at: number;
  /** The image that scanned, or its name; the report's own word is used when there is none. */
  readonly scanner?: string;
}

/** Bytes with the digest and media type under which they are pushed. */
export interface Content {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** A report made ready to be pushed: the blobs first, then the manifest, by its digest. */
export interface ReportArtifact {
  readonly artifactType: string;
  readonly blobs: readonly [config: Content, report: Content];
  readonly manifest: Content;
}

const emptyType = 'application/vnd.oci.empty.v1+json';
const summaryAnnotation = 'dev.slipway.scan.summary';
const scannerAnnotation = 'dev.slipway.scan.scanner';

/** Makes the referrer (OCI image-spec 1.1, "Guidelines for Artifact Usage") that keeps a report with its image. */
export function buildReportArtifact(bytes: Uint8Array, report: ScanReport, facts: ScanFacts): ReportArtifact {
  const config = toContent(emptyType, Buffer.from('{}'));
  const layer = toContent(report.mediaType, bytes);
  const scanner = facts.scanner ?? report.scanner;
  const { mediaType, digest, size } = facts.subject;
  const document = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: report.mediaType,
    config: describe(config),
    layers: [{ ...describe(layer), annotations: { 'org.opencontainers.image.title': titleOf(report) } }],
    subject: { mediaType, digest, size },
    annotations: {
      'org.opencontainers.image.created': new Date(facts.at).toISOString(),
      ...(scanner !== undefined && { [scannerAnnotation]: quote(scanner) }),
      [summaryAnnotation]: writeSummary(report.summary),
    },
  };
  const manifest = toContent(document.mediaType, Buffer.from(JSON.stringify(document)));
  return { artifactType: report.mediaType, blobs: [config, layer], manifest };
}

function titleOf({ format }: ScanReport): string {
  const endings = { sarif: 'sarif', cyclonedx: 'cdx.json', trivy: 'json', json: 'json', text: 'txt', binary: 'bin' };
  return `scan-report.${endings[format]}`;
}

function toContent(mediaType: string, bytes: Uint8Array): Content {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
  return { mediaType, digest, bytes };
}

function describe({ mediaType, digest, bytes }: Content): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest, size: bytes.length };
}

/** A summary as the annotation `dev.slipway.scan.summary` has it: `{"critical":0,"high":2,…}`, or `{}` when uncounted. */
export function writeSummary(summary: ScanSummary): string {
  return JSON.stringify(summary.isCounted ? Object.fromEntries(severities.map((each) => [each, summary[each]])) : {});
}
