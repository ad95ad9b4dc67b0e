import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyDesk, KeyState, RotationWish, Say } from '../cli/local-host.ts';
import type { Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import { fail } from '../domain/failure.ts';
import { withHostLock } from '../host/lock.ts';
import { notificationPurpose } from '../notify/notifications/sealed.ts';
import { makeKey, openKeyRing, writeKeyFile, type KeyRing } from '../secret/key-ring.ts';
import { keyIdOf, labelInstallation, parseKey, type Keys } from '../secret/key.ts';
import { secretPurpose } from '../secret/own-secrets.ts';
import { registryCredentialPurpose } from '../secret/registry-credential.ts';
import { inspectSealed, resealAll, type SealPurposes, type SealReport, type SealWalk } from '../secret/rotation.ts';
import type { Store } from '../store/ports.ts';
import { openRedisSealedTexts, type RedisSealedTexts } from '../store/redis/sealed.ts';
import { createRedisStore } from '../store/redis/store.ts';
import { requestPurpose, taskPurpose } from '../trigger/sealed-secrets.ts';
import { planPurpose } from '../worker/plan-keeper.ts';

const purposes: SealPurposes = {
  task: () => taskPurpose,
  notification: notificationPurpose,
  secret: secretPurpose,
  run: () => requestPurpose,
  plan: () => planPurpose,
  'registry-credential': registryCredentialPurpose,
};

/** Longer than any process takes from sealing something to having it in the store. */
const usualSettleMs = 3000;
const mostWalks = 10;

export interface KeyDeskOptions {
  readonly config: Pick<Config, 'dataDir' | 'key' | 'name'>;
  readonly url: string;
  readonly prefix: string;
  /** Milliseconds that processes are given to be done with what they sealed with the keys before. */
  readonly settleMs?: number;
}

interface Desk {
  readonly config: KeyDeskOptions['config'];
  readonly file: string;
  readonly source: KeyState['source'];
  readonly ring: KeyRing;
  readonly store: Store;
  readonly walk: SealWalk;
  readonly settle: () => Promise<void>;
}

function stateOf({ source, ring }: Desk, sealed: SealReport): KeyState {
  return { source, keys: ring.keys().map(keyIdOf), sealed };
}

function checkDamaged({ damaged }: SealReport, { leaveDamaged }: RotationWish): void {
  if (damaged.length === 0 || leaveDamaged) return;
  const some = damaged.slice(0, 10).join(', ');
  throw fail('conflict', `no key that is known here opens what is sealed with: ${some}`, {
    hint: 'give this command the SLIPWAY_KEY and SLIPWAY_DATA of the processes, or set these secrets anew; --leave-damaged passes over them',
  });
}

/** Seals anew until nothing is found that an older key has sealed. `old` of the report says how much it was in all. */
async function resealWhole({ walk }: Desk): Promise<SealReport> {
  let old = 0;
  for (let walks = 0; walks < mostWalks; walks++) {
    const report = await resealAll(walk);
    old += report.old;
    if (report.old === 0) return { ...report, old };
  }
  throw fail('conflict', 'a process still seals with an older key', {
    hint: 'every process needs the new key: the same key file, or the same SLIPWAY_KEY and a restart; then try again',
  });
}

/** The new key stands in front, and the label that the older one gave is kept. */
async function addKey({ config, file, ring }: Desk): Promise<void> {
  await labelInstallation(config.name, config.dataDir, ring.keys());
  await withHostLock(config.dataDir, async () => {
    if (ring.keys().length === 1) await writeKeyFile(file, [parseKey(makeKey()), ...ring.keys()]);
  });
}

function tellOfEnvironment(): Error {
  return fail('invalid-request', 'the key is given by SLIPWAY_KEY, where this command cannot change it', {
    field: 'SLIPWAY_KEY',
    hint: 'make a key (openssl rand -hex 32), give every process SLIPWAY_KEY=<new>,<present> and restart them; then call this again with the same SLIPWAY_KEY',
  });
}

async function rotate(desk: Desk, wish: RotationWish, say: Say): Promise<KeyState> {
  checkDamaged(await inspectSealed(desk.walk), wish);
  if (desk.ring.keys().length > 1) say('There are older keys already: going on from there, with no further one.');
  else if (desk.source === 'SLIPWAY_KEY') throw tellOfEnvironment();
  else {
    await addKey(desk);
    say('A new key stands in the key file. Waiting until every process uses it …');
    await desk.settle();
  }
  return stateOf(desk, await resealWhole(desk));
}

/** Runs at work may hold credentials that an older key has signed; they get no others. */
async function checkRuns({ store, file }: Desk, { force }: RotationWish): Promise<void> {
  const since = statSync(file).mtimeMs;
  const isOlder = (startTime: string | undefined): boolean => startTime !== undefined && Date.parse(startTime) <= since;
  const older = (await store.runs.listActive()).filter((run) => run.status !== 'Queued' && isOlder(run.startTime));
  if (older.length === 0 || force) return;
  const some = older
    .slice(0, 10)
    .map(({ runId }) => runId)
    .join(', ');
  throw fail('conflict', `runs that began with an older key are still at work: ${some}`, {
    hint: 'wait until they are over; --force drops the key, and they can push no more',
  });
}

async function finish(desk: Desk, wish: RotationWish, say: Say): Promise<KeyState> {
  const keys: Keys = desk.ring.keys();
  const report = await resealWhole(desk);
  if (keys.length === 1) return stateOf(desk, report);
  checkDamaged(report, wish);
  if (desk.source === 'SLIPWAY_KEY') {
    say('Nothing needs the older keys: give every process SLIPWAY_KEY with the first key alone, and restart them.');
    return stateOf(desk, report);
  }
  await checkRuns(desk, wish);
  await withHostLock(desk.config.dataDir, () => writeKeyFile(desk.file, [keys[0]]));
  // Whoever had read something before it was sealed anew may have written it back: these keys are still at hand for it.
  await desk.settle();
  const late = await resealWhole({ ...desk, walk: { ...desk.walk, key: { keys: () => keys } } });
  return stateOf(desk, { ...late, old: report.old + late.old });
}

async function openDesk(options: KeyDeskOptions): Promise<Desk & { readonly texts: RedisSealedTexts }> {
  const { config, url, prefix, settleMs = usualSettleMs } = options;
  const file = join(config.dataDir, 'key');
  if (config.key === undefined && !existsSync(file)) {
    throw fail('not-found', `there is no key in ${config.dataDir}`, {
      hint: 'call it where the installation is, with its SLIPWAY_DATA',
    });
  }
  const ring = await openKeyRing(config.key, file);
  const texts = await openRedisSealedTexts({ url, prefix });
  const store = await createRedisStore({ url, prefix, clock: systemClock });
  const settle = (): Promise<void> => sleep(settleMs);
  const source = config.key === undefined ? 'file' : 'SLIPWAY_KEY';
  return { config, file, source, ring, store, texts, settle, walk: { key: ring, texts, purposes } };
}

/** Opens the keys of an installation; see {@link KeyDesk}. */
export async function openKeyDesk(options: KeyDeskOptions): Promise<KeyDesk> {
  const desk = await openDesk(options);
  return {
    inspect: async () => stateOf(desk, await inspectSealed(desk.walk)),
    rotate: (wish, say) => rotate(desk, wish, say),
    finish: (wish, say) => finish(desk, wish, say),
    async close() {
      desk.texts.close();
      await desk.store.close();
    },
  };
}
