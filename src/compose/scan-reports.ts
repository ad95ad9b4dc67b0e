import type { Installation } from '../installation.ts';
import { connectRegistry, type RegistryClient } from '../registry-client/client.ts';
import { refusalOf } from '../registry-client/refusal.ts';
import { createSender } from '../registry-client/sender.ts';
import { createSigner } from '../secret/sign.ts';
import { issueSystemCredential, systemPurpose } from '../secret/system-credential.ts';
import { decideQuarantine, type QuarantineDecision } from '../trust/quarantine.ts';
import { buildReportArtifact, readScanReport, type ReportArtifact, type ScanReport } from '../trust/scan-report.ts';
import { severities } from '../trust/scan-summary.ts';
import type { KeepScan, ScanEnd } from '../worker/scan-end.ts';

/** Our registry as a scan that is over uses it. */
interface Site {
  readonly client: RegistryClient;
  readonly setQuarantine: (end: ScanEnd, decision: QuarantineDecision) => Promise<void>;
}

const tries = 6;
const timeoutMs = 30_000;

function openSite({ config, clock, key }: Pick<Installation, 'config' | 'clock' | 'key'>) {
  const signer = createSigner(key, systemPurpose);
  const sender = createSender();
  const origin = config.patching.registryUrl ?? config.url;
  return ({ runId }: ScanEnd): Site => {
    const credential = issueSystemCredential(signer, clock, `scan:${runId}`);
    const client = connectRegistry({ origin, credential, sender, clock, tries });
    const basic = Buffer.from(`${credential.userName}:${credential.password}`).toString('base64');
    return {
      client,
      setQuarantine: async ({ cause }, { state, because }) => {
        const { repository, digest } = cause.image;
        const quarantineDetails = JSON.stringify({ by: `scan:${runId}`, because });
        const what = `acr/v1/${repository}/_manifests/${digest}`;
        const answer = await sender.send({
          url: `${origin}/${what}`,
          method: 'PATCH',
          headers: { authorization: `Basic ${basic}`, 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify({ quarantineState: state, quarantineDetails })),
          timeoutMs,
        });
        if (answer.status >= 300) throw await refusalOf(client.registry, `PATCH ${what}`, answer, clock.now());
        answer.body.resume();
      },
    };
  };
}

function scannerOf({ cause: { scanner } }: ScanEnd): string | undefined {
  return 'image' in scanner ? scanner.image : undefined;
}

async function push(client: RegistryClient, repository: string, artifact: ReportArtifact): Promise<void> {
  for (const { digest, bytes } of artifact.blobs) await client.putBlob(repository, { digest, bytes });
  const { digest, mediaType, bytes } = artifact.manifest;
  await client.putManifest(repository, digest, { digest, mediaType, bytes: Buffer.from(bytes) });
}

function describeReport({ summary, format, scanner }: ScanReport, { manifest }: ReportArtifact): string {
  const counted = summary.isCounted
    ? severities.map((severity) => `${String(summary[severity])} ${severity}`).join(', ')
    : 'its findings cannot be counted';
  const of = scanner === undefined ? '' : ` of ${scanner.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)}`;
  return `report (${format})${of}: ${counted}; kept as the referrer ${manifest.digest}`;
}

/** What becomes of the image; undefined when the report decides nothing. */
function decide({ cause, hasFailed }: ScanEnd, { summary }: ScanReport): QuarantineDecision | undefined {
  const { failOn, quarantine } = cause;
  if (failOn === undefined) return undefined;
  const decision = decideQuarantine(summary, failOn);
  if (!hasFailed || !quarantine) return decision;
  return { state: 'Failed', because: [...decision.because, 'the run that scanned it did not succeed'] };
}

function describeDecision({ state, because }: QuarantineDecision): string {
  return because.length === 0 ? state : `${state} (${because.join('; ')})`;
}

/** Keeps the reports of scans in our registry, as referrers of the images, and decides about their quarantine as the policy says. */
export function createScanKeeper(installation: Pick<Installation, 'config' | 'clock' | 'key'>): KeepScan {
  const open = openSite(installation);
  return async (end) => {
    const { image, quarantine } = end.cause;
    const { repository, digest, mediaType, size } = image;
    const { client, setQuarantine } = open(end);
    if ((await client.resolve(repository, digest)) === undefined)
      return [`${repository}@${digest} is not there any more; its report is not kept`];
    const report = readScanReport(end.report);
    const scanner = scannerOf(end);
    const facts = { subject: { mediaType, digest, size }, at: installation.clock.now() };
    const artifact = buildReportArtifact(end.report, report, {
      ...facts,
      ...(report.scanner === undefined && scanner !== undefined && { scanner }),
    });
    await push(client, repository, artifact);
    const decision = decide(end, report);
    if (decision === undefined) return [describeReport(report, artifact)];
    if (quarantine) await setQuarantine(end, decision);
    const what = quarantine ? 'quarantine' : 'by the rule of the scan policy';
    return [describeReport(report, artifact), `${what}: ${describeDecision(decision)}`];
  };
}
