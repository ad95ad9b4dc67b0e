import { isFinal, isRunId, type Run } from '../domain/run.ts';
import type { Installation } from '../installation.ts';
import type { Principal } from '../registry/options.ts';
import { isSameSecret, type Account } from '../secret/account.ts';
import { checkRunCredential } from '../secret/run-credential.ts';
import { createSigner } from '../secret/sign.ts';
import { checkSystemCredential, systemPurpose } from '../secret/system-credential.ts';
import type { RunStore } from '../store/ports.ts';

/** True for the name and password of this very account. */
export function isAccount(account: Account, given: Account): boolean {
  const isName = isSameSecret(given.username, account.username);
  return isSameSecret(given.password, account.password) && isName;
}

/** What a run's steps may do, while its attempt is the latest; a run of a stranger's code (a fork's pull request) may pull and no more. */
function principalOf(run: Run | undefined, attempt: number): Principal | undefined {
  if (!run || isFinal(run.status) || run.attempt !== attempt) return undefined;
  const isStranger = run.cause?.kind === 'source' && !run.cause.isTrusted;
  return {
    name: `run:${run.runId}`,
    keepsSame: run.cause?.kind === 'image-update',
    may: (_, action) => action === 'pull' || (action === 'push' && !isStranger),
  };
}

/** Who may use the registry: the admin account everything, the installation itself what campaigns need, a run what its steps need. */
export function createRegistryLogin(
  installation: Pick<Installation, 'clock' | 'key'> & { readonly store: { readonly runs: Pick<RunStore, 'get'> } },
  account: Account,
) {
  const { clock, key, store } = installation;
  const signer = createSigner(key, 'run');
  const systemSigner = createSigner(key, systemPurpose);
  return async (username: string, password: string): Promise<Principal | undefined> => {
    const given = { username, password };
    if (isAccount(account, given)) return { name: account.username, may: () => true };
    const system = checkSystemCredential(systemSigner, given, clock);
    if (system !== undefined) return { name: system, may: (_, action) => action === 'pull' || action === 'push' };
    const identity = checkRunCredential(signer, given, clock);
    if (!identity || !isRunId(identity.runId)) return undefined;
    return principalOf(await store.runs.get(identity.runId), identity.attempt);
  };
}
