import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/clock.ts';
import type { RunCause } from '../domain/run-cause.ts';
import { isFinal, isRunId, type Run } from '../domain/run.ts';
import { folderPrefix } from '../domain/task-folder.ts';
import type { Installation } from '../installation.ts';
import type { RegistryAction } from '../registry/access/actions.ts';
import type { Principal, PrincipalSource } from '../registry/access/principal.ts';
import { findPassword, type AccountKeeper } from '../secret/account-keeper.ts';
import { checkRunCredential } from '../secret/run-credential.ts';
import { createDerive, createSigner } from '../secret/sign.ts';
import { keysOf, type InstallationKey } from '../secret/key-ring.ts';
import { checkSystemCredential, systemPurpose } from '../secret/system-credential.ts';
import type { RunStore } from '../store/ports.ts';

type Parts = Pick<Installation, 'clock' | 'key'> & { readonly store: { readonly runs: Pick<RunStore, 'get'> } };

/** Names a password without saying anything of it, for whoever has not the installation's key. */
function createFingerprint(key: InstallationKey): (password: string) => readonly string[] {
  const derive = createDerive('password fingerprint');
  return (password) =>
    keysOf(key).map((one) => createHmac('sha256', derive(one)).update(password).digest('base64url').slice(0, 22));
}

/** The admin account, which may do everything; `isEnabled` false: not at the registry. */
function createAdminSource(key: InstallationKey, account: AccountKeeper, isEnabled: boolean): PrincipalSource {
  const fingerprint = createFingerprint(key);
  return {
    kind: 'admin',
    owns: (username) => username === account.current().username.toLowerCase(),
    login: (username, password) => {
      if (!isEnabled || findPassword(account.current(), { username, password }) === undefined) return undefined;
      return { kind: 'admin', name: username, credential: fingerprint(password)[0] ?? '' };
    },
    find: ({ name, credential }) => {
      const { username, passwords } = account.current();
      if (!isEnabled || name !== username) return undefined;
      return passwords.some((one) => fingerprint(one).includes(credential)) ? { name, may: () => true } : undefined;
    },
  };
}

/** What campaigns need; who signs may pull what is not signed. */
const systemActions: readonly RegistryAction[] = ['pull', 'push', 'overwrite', 'metadata-read', 'sign'];
/** What is needed besides by whoever decides about a scanned image. */
const judgeActions: readonly RegistryAction[] = ['quarantine-read', 'quarantine-write', 'metadata-write'];

/** In whose name the folders of deleted tasks are removed. */
export const folderKeeper = 'tasks:folders';

/** What a process of the installation may do for itself, by its name. */
function maySystem(name: string, repository: string, action: RegistryAction): boolean {
  if (systemActions.includes(action)) return true;
  if (name === folderKeeper) return action === 'delete' && repository.startsWith(folderPrefix);
  return name.startsWith('scan:') && judgeActions.includes(action);
}

/** What a process of the installation does for itself. */
function createSystemSource({ key, clock }: Parts): PrincipalSource {
  const signer = createSigner(key, systemPurpose);
  return {
    kind: 'system',
    owns: (username) => username === 'system',
    isSigned: (username) => username === 'system',
    login: (username, password) => {
      const name = checkSystemCredential(signer, { username, password }, clock);
      return name === undefined ? undefined : { kind: 'system', name, credential: '' };
    },
    find: ({ name }) => ({ name, may: (repository, action) => maySystem(name, repository, action) }),
  };
}

/** A scan may pull its image, signed or not and in quarantine too, and push nothing: what comes of it is kept by the worker. */
function scanPrincipalOf(runId: string, { image }: Extract<RunCause, { kind: 'scan' }>): Principal {
  const seeing: readonly RegistryAction[] = ['quarantine-read', 'sign'];
  return {
    name: `run:${runId}`,
    may: (repository, action) =>
      action === 'pull' || action === 'metadata-read' || (repository === image.repository && seeing.includes(action)),
  };
}

/** What a run's steps may do, while its attempt is the latest; a run of a stranger's code (a fork's pull request) may pull and no more. */
function principalOf(run: Run | undefined, attempt: number): Principal | undefined {
  if (!run || isFinal(run.status) || run.attempt !== attempt) return undefined;
  if (run.cause?.kind === 'scan') return scanPrincipalOf(run.runId, run.cause);
  const isStranger = run.cause?.kind === 'source' && !run.cause.isTrusted;
  return {
    name: `run:${run.runId}`,
    keepsSame: run.cause?.kind === 'image-update',
    may: (_, action) =>
      action === 'pull' || action === 'metadata-read' || (!isStranger && (action === 'push' || action === 'overwrite')),
  };
}

/** A run that was looked up is not looked up again for so long: its end ends its credential within that time. */
const runCachedMs = 1000;
const runsCached = 2000;

/** Looks runs up, each at most once in {@link runCachedMs}. */
function createRunReader(runs: Pick<RunStore, 'get'>, clock: Clock): (runId: string) => Promise<Run | undefined> {
  const cache = new LRUCache<string, { run: Promise<Run | undefined>; at: number }>({ max: runsCached });
  return (runId) => {
    if (!isRunId(runId)) return Promise.resolve(undefined);
    const known = cache.get(runId);
    const age = known === undefined ? runCachedMs : clock.now() - known.at;
    if (known !== undefined && age >= 0 && age < runCachedMs) return known.run;
    const run = runs.get(runId);
    cache.set(runId, { run, at: clock.now() });
    run.catch(() => cache.delete(runId));
    return run;
  };
}

function createRunSource({ key, clock, store }: Parts): PrincipalSource {
  const signer = createSigner(key, 'run');
  const read = createRunReader(store.runs, clock);
  return {
    kind: 'run',
    owns: (username) => username === 'run',
    isSigned: (username) => username === 'run',
    login: (username, password) => {
      const identity = checkRunCredential(signer, { username, password }, clock);
      return identity && { kind: 'run', name: identity.runId, credential: String(identity.attempt) };
    },
    find: async ({ name, credential }) => principalOf(await read(name), Number(credential)),
  };
}

/**
 * Who may use the registry besides those who have records in it: the admin account everything, the installation itself what campaigns
 * need, a run what its steps need.
 */
export function createRegistrySources(
  installation: Parts,
  account: AccountKeeper,
  { isAdminEnabled = true } = {},
): readonly PrincipalSource[] {
  return [
    createAdminSource(installation.key, account, isAdminEnabled),
    createSystemSource(installation),
    createRunSource(installation),
  ];
}
