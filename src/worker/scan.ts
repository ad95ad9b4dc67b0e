import { isUtf8 } from 'node:buffer';
import type { RegistryCredential } from '../domain/run-request.ts';
import type { CmdStep, EnvVariable, Plan } from '../domain/step.ts';
import type { RunSetup, StepReport } from '../engine/ports.ts';
import type { RunResult } from '../engine/run.ts';
import { stopOf } from '../engine/stop.ts';
import type { KeepScan, ScanCause } from './scan-end.ts';
import { registryCredentials, type Work, type WorkRunOptions } from './work.ts';

/** A run that looks at an image. */
export interface Scan {
  readonly job: {
    /** With what every step is told of the image, and with the run's logins where scanners look for them. */
    readonly plan: Plan;
    readonly keepReport: NonNullable<RunSetup['keepReport']>;
  };
  /** To be called when the plan was run; the run's own result. */
  finish(result: RunResult): Promise<RunResult>;
}

const volume = 'slipway-scan';
const path = '/acb/scan';
const fileName = 'config.json';

/** The file of logins that container engines and scanners read (`~/.docker/config.json`). */
function writeLogins(credentials: Readonly<Record<string, RegistryCredential>>): { text: string; secrets: string[] } {
  const auths = Object.entries(credentials).map(([host, { userName, password }]) => {
    const auth = Buffer.from(`${userName}:${password}`).toString('base64');
    return { host, auth, password };
  });
  return {
    text: JSON.stringify({ auths: Object.fromEntries(auths.map(({ host, auth }) => [host, { auth }])) }),
    secrets: auths.flatMap(({ auth, password }) => [auth, password]),
  };
}

function variablesOf({ image }: ScanCause): readonly EnvVariable[] {
  const { registry, repository, tag, digest } = image;
  const variables = {
    SCAN_IMAGE: `${registry}/${repository}@${digest}`,
    ...{ SCAN_REGISTRY: registry, SCAN_REPOSITORY: repository, SCAN_DIGEST: digest },
    ...(tag !== undefined && { SCAN_TAG: tag }),
    ...{ DOCKER_CONFIG: path, REGISTRY_AUTH_FILE: `${path}/${fileName}` },
  };
  return Object.entries(variables).map(([name, value]) => ({ name, value }));
}

function equip(plan: Plan, cause: ScanCause, logins: string): Plan {
  const variables = variablesOf(cause);
  const equipStep = (step: CmdStep): CmdStep => ({
    ...step,
    env: [...variables.filter(({ name }) => !step.env.some((own) => own.name === name)), ...step.env],
    volumeMounts: [...step.volumeMounts, { volume, path }],
  });
  const file = { name: fileName, contentBase64: Buffer.from(logins).toString('base64') };
  return {
    ...plan,
    steps: plan.steps.map((step) => (step.kind === 'cmd' ? equipStep(step) : step)),
    volumes: [...plan.volumes, { name: volume, files: [file] }],
  };
}

/** The report as the log would show it: no secret of the run goes into the registry with it. */
function maskReport(bytes: Buffer, { mask }: Work): Buffer {
  if (!isUtf8(bytes)) return bytes;
  const text = bytes.toString('utf8');
  const masked = mask(text);
  return masked === text ? bytes : Buffer.from(masked);
}

/** The bytes of a report, or why there are none. */
function bytesOf(report: StepReport | undefined): Buffer | string {
  if (report === undefined) return 'the scanner has left none';
  if ('fault' in report) return report.fault;
  return report.bytes.length === 0 ? 'the scanner wrote nothing' : report.bytes;
}

interface Finishing {
  readonly work: Work;
  readonly cause: ScanCause;
  readonly report: StepReport | undefined;
  readonly keepScan: KeepScan | undefined;
}

async function finishScan({ work, cause, report, keepScan }: Finishing, result: RunResult): Promise<RunResult> {
  const hasFailed = result.status !== 'Succeeded';
  if (stopOf(work.stopper.signal) !== undefined) return result;
  const bytes = bytesOf(report);
  if (typeof bytes === 'string')
    return hasFailed ? result : { status: 'Failed', message: `there is no report: ${bytes}` };
  const end = { runId: work.run.runId, cause, report: maskReport(bytes, work), hasFailed };
  for (const text of (await keepScan?.(end)) ?? []) work.emit({ kind: 'output', stream: 'system', text });
  return result;
}

/** Gets a scan ready; undefined for every other run. The logins are those of this attempt, whoever has made the plan. */
export async function prepareScan(work: Work, plan: Plan, options: WorkRunOptions): Promise<Scan | undefined> {
  const { cause } = work.run;
  if (cause?.kind !== 'scan') return undefined;
  const { text, secrets } = writeLogins(await registryCredentials(work, options));
  work.mask.learn(secrets);
  let last: StepReport | undefined;
  return {
    job: {
      plan: equip(plan, cause, text),
      keepReport: (report) => {
        last = report;
      },
    },
    finish: (result) => finishScan({ work, cause, report: last, keepScan: options.keepScan }, result),
  };
}
