import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/failure.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RunCause } from '../../src/domain/run-cause.ts';
import type { EncodedTaskRunRequest } from '../../src/domain/run-request.ts';
import type { CmdStep, Step } from '../../src/domain/step.ts';
import type { RunSetup, StepReport } from '../../src/engine/ports.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { createPlanKeeper } from '../../src/worker/plan-keeper.ts';
import { readEvents } from '../../src/worker/read-events.ts';
import type { ScanEnd } from '../../src/worker/scan-end.ts';
import { workRun } from '../../src/worker/work-run.ts';
import type { WorkRunOptions } from '../../src/worker/work.ts';
import { aRequest } from '../rig/runs.ts';
import { createManualTimer, nothingRemains } from '../rig/steps.ts';

const clock = { now: () => Date.parse('2026-01-01T00:00:00Z') };
const digest = `sha256:${'d'.repeat(64)}` as never;
const scan: RunCause = {
  kind: 'scan',
  image: { registry: 'r.example.com', repository: 'team/app', tag: 'v1', digest, mediaType: 'x/y', size: 3 },
  scanner: { image: 'scanner', arguments: '' },
  quarantine: false,
};

/** Does a run of one step that leaves `report` and comes to `outcome`. */
async function doRun({
  cause = scan,
  report,
  outcome = { kind: 'succeeded' },
  keepScan,
}: {
  cause?: RunCause;
  report?: StepReport;
  outcome?: Outcome;
  keepScan?: WorkRunOptions['keepScan'];
}) {
  const store = createMemoryStore({ clock });
  const [setups, steps, ends]: [RunSetup[], Step[], ScanEnd[]] = [[], [], []];
  const keep = async (end: ScanEnd): Promise<readonly string[]> => {
    ends.push(end);
    return ['kept'];
  };
  const options: WorkRunOptions = {
    name: 'w1-100',
    store,
    keepScan: keepScan ?? keep,
    runner: {
      prepare: (setup) => {
        setups.push(setup);
        const run = (step: Step): Promise<Outcome> => {
          steps.push(step);
          if (report !== undefined) setup.keepReport?.(report);
          return Promise.resolve(outcome);
        };
        return Promise.resolve({ run, dispose: () => Promise.resolve(), abandon: () => undefined });
      },
      holds: () => Promise.resolve(false),
      ...nothingRemains,
    },
    plans: createPlanKeeper(store.runs, Buffer.alloc(32)),
    registryHost: 'r.example.com',
    clock,
    timer: createManualTimer().timer,
    logger: pino({ level: 'silent' }),
    openSecrets: () => ({ arguments: {}, registries: {} }),
    issueCredential: () => ({ userName: 'run', password: 'sesame-open' }),
    openContext: () => Promise.reject(new Error('there is none')),
    random: () => 0.5,
    resolveSecret: () => Promise.reject(new Error('there is none')),
    fetchText: () => Promise.reject(new Error('nothing is fetched here')),
    archive: () => Promise.resolve(),
    loadArchived: () => Promise.resolve(undefined),
    listWorkers: () => Promise.resolve([]),
    readEngine: () => Promise.resolve({ version: '1', architecture: 'amd64' }),
    waitingSince: new Map(),
    line: { last: Promise.resolve() },
    keepFailedMs: 0,
    onEngineLost: () => Promise.resolve(),
  };
  const { isArchiveEnabled, timeout, platform, agentConfiguration, credentials } = aRequest();
  const request: EncodedTaskRunRequest = {
    ...{ isArchiveEnabled, timeout, platform, agentConfiguration, credentials, values: [] },
    type: 'EncodedTaskRunRequest',
    encodedTaskContent: Buffer.from('version: v1.1.0\nsteps:\n  - cmd: scanner\n    env: [SCAN_TAG=mine]\n').toString(
      'base64',
    ),
  };
  const { run } = await store.runs.create({ runType: 'QuickRun', request, cause });
  await workRun(run.runId, new AbortController(), options);
  const log = (await readEvents(store.events, run.runId)).flatMap((event) =>
    event.kind === 'output' ? [event.text] : [],
  );
  return { run: await store.runs.get(run.runId), step: steps[0] as CmdStep, setup: setups[0], ends, log };
}

const bytes = (text: string): StepReport => ({ bytes: Buffer.from(text) });

describe('a run that scans an image', () => {
  it('tells its steps of the image, and where a login for the registry is', async () => {
    const { step, setup, run } = await doRun({ report: bytes('{}') });
    expect(run?.status).toBe('Succeeded');
    const env = Object.fromEntries(step.env.map(({ name, value }) => [name, value]));
    expect(env).toMatchObject({
      SCAN_IMAGE: `r.example.com/team/app@${String(digest)}`,
      SCAN_REGISTRY: 'r.example.com',
      SCAN_REPOSITORY: 'team/app',
      SCAN_TAG: 'mine',
      SCAN_DIGEST: digest,
      DOCKER_CONFIG: '/acb/scan',
    });
    expect(step.volumeMounts).toContainEqual({ volume: 'slipway-scan', path: '/acb/scan' });
    const [file] = setup?.plan?.volumes.find(({ name }) => name === 'slipway-scan')?.files ?? [];
    const logins = JSON.parse(Buffer.from(file?.contentBase64 ?? '', 'base64').toString()) as object;
    const auth = Buffer.from('run:sesame-open').toString('base64');
    expect(logins).toEqual({ auths: { 'r.example.com': { auth } } });
  });

  it('has its report kept, without the login that it may have in it, and says what came of it', async () => {
    const { ends, log } = await doRun({ report: bytes('{"token":"sesame-open"}') });
    expect(ends.map(({ report, hasFailed }) => [report.toString(), hasFailed])).toEqual([
      ['{"token":"********"}', false],
    ]);
    expect(log).toContain('kept');
    const raw = Buffer.from([0xff, 0, 0xfe]);
    expect((await doRun({ report: { bytes: raw } })).ends[0]?.report).toEqual(raw);
  });

  it('has the report kept of a scanner that ends with an error, and says so', async () => {
    const failed: Outcome = { kind: 'failed', exitCode: 1, message: 'exit code 1' };
    const { run, ends } = await doRun({ report: bytes('{}'), outcome: failed });
    expect([run?.status, ends[0]?.hasFailed]).toEqual(['Failed', true]);
  });

  it.each<[string, StepReport | undefined, string]>([
    ['nothing', undefined, 'there is no report: the scanner has left none'],
    ['an empty one', bytes(''), 'there is no report: the scanner wrote nothing'],
    ['one that cannot be had', { fault: 'it has more than 16 MiB' }, 'there is no report: it has more than 16 MiB'],
  ])('fails when its report is %s', async (_, report, message) => {
    const { run, ends } = await doRun({ ...(report && { report }) });
    expect([run?.status, run?.runErrorMessage, ends]).toEqual(['Failed', message, []]);
  });

  it('ends in error when the report cannot be kept', async () => {
    const keepScan = () => Promise.reject(fail('storage-unavailable', 'the registry does not answer'));
    const { run } = await doRun({ report: bytes('{}'), keepScan });
    expect([run?.status, run?.runErrorMessage]).toEqual(['Error', 'the registry does not answer']);
  });

  it('is no other run', async () => {
    const { step, setup, ends, run } = await doRun({ cause: { kind: 'manual', by: 'ann' }, report: bytes('{}') });
    expect([run?.status, setup?.keepReport, ends, step.volumeMounts]).toEqual(['Succeeded', undefined, [], []]);
    expect(step.env.map(({ name }) => name)).toEqual(['SCAN_TAG']);
  });
});
