import { onTestFinished } from 'vitest';
import { createRegistrySources } from '../../../src/compose/registry-login.ts';
import { createScanKeeper } from '../../../src/compose/scan-reports.ts';
import { createScans, type Scans, type ScansOptions } from '../../../src/compose/scans.ts';
import type { RegistryEvent } from '../../../src/domain/event.ts';
import type { RunCause } from '../../../src/domain/run-cause.ts';
import type { Run } from '../../../src/domain/run.ts';
import { createMemoryStore } from '../../../src/store/memory/store.ts';
import type { ScanEnd } from '../../../src/worker/scan-end.ts';
import { startRegistry, until } from '../rig.ts';

export type ScanCause = Extract<RunCause, { kind: 'scan' }>;

export const key = Buffer.alloc(32, 4);
export const policy = {
  repositories: ['team/*'],
  image: 'scanner',
  arguments: '{{.Values.image}}',
  failOn: { critical: 1 },
};
export const host = 'registry.test';

/** A registry whose pushes are scanned: by runs that are made and that no worker does. */
export async function setUp(submit: Partial<ScansOptions['submit']> = {}) {
  const clock = { time: Date.UTC(2026, 10, 21), now: () => clock.time };
  const store = createMemoryStore({ clock });
  const account = { username: 'admin', passwords: ['secret', 'second'] } as const;
  const keeper = { current: () => account, renew: () => Promise.resolve(account) };
  const logged: string[] = [];
  const told: RegistryEvent[] = [];
  const opened: { scans?: Scans } = {};
  const rig = await startRegistry({
    clock,
    key,
    sources: createRegistrySources({ key, clock, store }, keeper),
    onEvent: async (event) => {
      await opened.scans?.noticePush(event);
      told.push(event);
    },
    limits: { eventRetryMs: 20 },
  });
  onTestFinished(rig.stop);
  const config = { registryHost: host, url: rig.url, patching: {} };
  const logger = { error: (_: object, message: string) => void logged.push(message) };
  const scans = createScans({
    installation: { config, logger, store } as unknown as ScansOptions['installation'],
    registry: rig.registry,
    submit: {
      runs: store.runs,
      queue: { enqueue: () => Promise.resolve() },
      workers: store.workers,
      key,
      checkPlan: () => undefined,
      findFollowed: async () => [],
      checkLocation: (location) => ({ location }),
      hasUpload: () => Promise.resolve(true),
      onWarning: () => undefined,
      ...submit,
    },
  });
  opened.scans = scans;
  const keep = createScanKeeper({ config, clock, key } as unknown as Parameters<typeof createScanKeeper>[0]);
  const listRuns = async (): Promise<readonly Run[]> => (await store.runs.list({ conditions: [], limit: 100 })).runs;
  /** When all that was pushed is told. */
  const settled = (): Promise<void> => until(() => rig.registry.countUntoldEvents() === 0);
  const pull = (reference: string, authorization: string) =>
    fetch(`${rig.url}/v2/team/app/manifests/${reference}`, { headers: { authorization } });
  return { ...rig, store, scans, keep, listRuns, settled, logged, told, pull, clock };
}

export function endOf(run: Run, report: string, hasFailed = false): ScanEnd {
  return { runId: run.runId, cause: run.cause as ScanCause, report: Buffer.from(report), hasFailed };
}

export function sarif(...levels: readonly string[]): string {
  const rules = [{ id: 'x', properties: { 'security-severity': '9.8' } }];
  const results = levels.map((level) => ({ ruleId: 'x', level, message: { text: 'bad' } }));
  return JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name: 'Stand-in', rules } }, results }] });
}
