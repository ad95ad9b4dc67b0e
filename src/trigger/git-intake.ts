import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { fail, FailureError } from '../domain/failure.ts';
import type { GitProviderName } from '../domain/git-repository.ts';
import type { TaskName } from '../domain/task.ts';
import type { DeliveryQueue } from '../queue/ports.ts';
import type { InstallationKey } from '../secret/key-ring.ts';
import type { Delivery, DeliveryStore, TaskStore } from '../store/ports.ts';
import { encodeParsed } from './delivery-payload.ts';
import type { DeliveryHeaders, GitProvider, ParsedDelivery, Verdict } from './git/event.ts';
import { createGitProviders, type GitProviders } from './git/providers.ts';
import { createWebhookSecrets } from './webhook-secrets.ts';

/** What came in at a webhook, not yet believed. */
export interface RawDelivery {
  /** The task whose webhook it came to; absent: the shared one. */
  readonly hook?: string;
  /** The forge, where the URL says it; otherwise it is told by the headers. */
  readonly provider?: GitProviderName | undefined;
  readonly headers: DeliveryHeaders;
  readonly body: Buffer;
}

export interface IntakeDeps {
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly deliveries: Pick<DeliveryStore, 'receive' | 'finish'>;
  readonly queue: Pick<DeliveryQueue, 'enqueue'>;
  /** The installation's key: the tasks' webhook secrets are sealed with it. */
  readonly key: InstallationKey;
  /** The secrets of the shared webhook: none, and it is shut. */
  readonly sharedSecrets: readonly string[];
  readonly clock: Clock;
  /** Told of what the sweep will put right. */
  readonly onWarning: (message: string, error: unknown) => void;
}

/** What is told to the forge. */
export interface Receipt {
  readonly deliveryId: string;
  readonly isPing: boolean;
}

/** Takes a delivery in: see {@link createGitIntake}. */
export type GitIntake = (raw: RawDelivery) => Promise<Receipt>;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9-]{7,79}$/;

function digest(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 32);
}

/** Scoped by the webhook, so that nobody but who knows its secret can take an id away; the forge's own id stays readable in it. */
function nameDelivery(hook: TaskName | undefined, provider: GitProviderName, forgeId: string): string {
  const own = idPattern.test(forgeId) ? forgeId : digest(forgeId);
  return `${hook?.toLowerCase() ?? 'shared'}.${provider}.${own}`;
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    throw fail('invalid-request', 'the payload is not valid JSON', {
      hint: 'let the forge send it with content type application/json',
    });
  }
}

/** What lists show of a delivery before it is worked off. */
function describe(parsed: ParsedDelivery): Pick<Delivery, 'event' | 'repository' | 'ref' | 'commit'> {
  const [event] = parsed.events;
  if (event === undefined) return { event: 'none' };
  const more: { repository?: string; ref?: string; commit?: string } = {};
  if (event.repository !== undefined) more.repository = event.repository.fullName;
  if ('ref' in event) more.ref = event.ref;
  if ('commit' in event) more.commit = event.commit;
  return { event: event.kind, ...more };
}

interface Verified {
  readonly provider: GitProvider;
  readonly hook: TaskName | undefined;
}

type Secrets = ReturnType<typeof createWebhookSecrets>;

interface Means {
  readonly providers: GitProviders;
  readonly secrets: Secrets;
}

/** Stands in for the secrets of a task that does not exist, so that the answer is the same, and takes as long. */
const nobodysSecret = randomBytes(32).toString('base64');

type Judge = (secrets: readonly string[]) => Verdict;

/** Secrets that are kept for a moment may be those from before a rotation: they can say yes, but not no. */
async function judgeTask({ read, recall }: Secrets, hook: string, judge: Judge) {
  const known = recall(hook);
  if (known !== undefined && judge(known.secrets) === 'ok') return { verdict: 'ok' as const, task: known.task };
  const found = await read(hook);
  return { verdict: judge(found?.secrets ?? [nobodysSecret]), task: found?.task };
}

async function verify(deps: IntakeDeps, { providers, secrets }: Means, raw: RawDelivery): Promise<Verified> {
  const provider = raw.provider === undefined ? providers.recognise(raw.headers) : providers.get(raw.provider);
  const judge: Judge = (some) => provider?.verify(raw.headers, raw.body, some) ?? 'missing';
  const shared = (): { verdict: Verdict; task: undefined } => ({ verdict: judge(deps.sharedSecrets), task: undefined });
  const { verdict, task } = raw.hook === undefined ? shared() : await judgeTask(secrets, raw.hook, judge);
  if (provider === undefined || verdict === 'missing') {
    throw fail('unauthenticated', 'this delivery carries no signature or token', {
      hint: 'give the webhook its secret in the forge; "slipway task webhook setup" prints it',
    });
  }
  if (verdict === 'wrong') {
    throw fail('forbidden', 'the signature or token of this delivery is wrong, or there is no such webhook', {
      hint: 'compare URL and secret of the webhook in the forge with what "slipway task webhook setup" prints',
    });
  }
  return { provider, hook: task };
}

interface Entry extends ParsedDelivery {
  readonly id: string;
  readonly status: Delivery['status'];
}

async function record(deps: IntakeDeps, { provider, hook }: Verified, entry: Entry) {
  const parsed = { events: entry.events, ignored: entry.ignored };
  const delivery = {
    id: entry.id,
    receivedTime: new Date(deps.clock.now()).toISOString(),
    ...(hook !== undefined && { hook }),
    provider: provider.name,
    ...describe(parsed),
    status: entry.status,
    verdicts: [],
    notes: entry.status === 'received' ? [] : entry.ignored,
  };
  return deps.deliveries.receive(delivery, encodeParsed(parsed));
}

/** A delivery with a good signature that cannot be read is shown to people too; the same bytes are one entry. */
async function recordFault(deps: IntakeDeps, verified: Verified, body: Buffer, error: unknown): Promise<void> {
  if (!(error instanceof FailureError) || error.failure.reason !== 'invalid-request') return;
  const id = nameDelivery(verified.hook, verified.provider.name, `faulty-${digest(body)}`);
  await record(deps, verified, { id, status: 'failed', events: [], ignored: [error.failure.message] });
}

function read({ provider, hook }: Verified, { headers, body }: RawDelivery): Entry {
  const content = readJson(body);
  const parsed = provider.parse(headers, content);
  const id = nameDelivery(hook, provider.name, provider.deliveryId(headers, content) ?? digest(body));
  const isIdle = parsed.events.every(({ kind }) => kind === 'ping');
  const pings = parsed.events.length > 0 && isIdle ? ['a ping: the webhook works'] : [];
  return { ...parsed, id, status: isIdle ? 'done' : 'received', ignored: [...parsed.ignored, ...pings] };
}

/** The delivery is stored: it will be worked off even when the queue cannot be told now, because the sweep queues it later. */
async function handOver({ queue, onWarning }: IntakeDeps, id: string): Promise<void> {
  try {
    await queue.enqueue(id);
  } catch (error) {
    onWarning(`delivery ${id} is stored but could not be queued; the sweep will queue it`, error);
  }
}

/**
 * Takes deliveries in: signature, reading, recording, queueing, in this order, so that what is answered for is never lost. A delivery that
 * arrives again is counted and starts nothing new; one that had failed is tried again. Of a delivery, what was read of it is kept, never
 * its bytes.
 * @throws `unauthenticated` without a signature, `forbidden` for a wrong one and for an unknown task alike, `invalid-request` (the field)
 * for a payload that cannot be read, `redis-unavailable`.
 */
export function createGitIntake(deps: IntakeDeps): GitIntake {
  const means = { providers: createGitProviders(deps.clock), secrets: createWebhookSecrets(deps) };
  return async (raw) => {
    const verified = await verify(deps, means, raw);
    let entry: Entry;
    try {
      entry = read(verified, raw);
    } catch (error) {
      await recordFault(deps, verified, raw.body, error);
      throw error;
    }
    const { delivery, isNew } = await record(deps, verified, entry);
    if (!isNew && delivery.status === 'failed')
      await deps.deliveries.finish(entry.id, { ...delivery, status: 'received' });
    const isOpen = entry.status === 'received' && delivery.status !== 'done';
    if (isOpen) await handOver(deps, entry.id);
    return { deliveryId: entry.id, isPing: entry.events.some(({ kind }) => kind === 'ping') };
  };
}
