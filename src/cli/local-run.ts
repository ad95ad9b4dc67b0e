import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import type { Config } from '../config.ts';
import { fail } from '../domain/failure.ts';
import { splitSecrets, type RequestSecrets } from '../domain/request-secrets.ts';
import type { RunRequest } from '../domain/run-request.ts';
import { isFinal, type RunId } from '../domain/run.ts';
import { createEgress } from '../egress/egress.ts';
import { hostTimer } from '../engine/policy/timeout.ts';
import { stop } from '../engine/stop.ts';
import { runDocument } from '../http/documents.ts';
import { createRunRequestParser } from '../http/run-request.ts';
import { createOwnSecrets } from '../secret/own-secrets.ts';
import { splitSecret } from '../source/location-secret.ts';
import { createContextOpener } from '../source/open-context.ts';
import { createMemoryStore } from '../store/memory/store.ts';
import type { Store } from '../store/ports.ts';
import { openSecretSources } from '../worker/secret-sources.ts';
import { workRun } from '../worker/work-run.ts';
import type { WorkRunOptions } from '../worker/work.ts';
import type { RunReader, RunView } from './api-types.ts';
import type { CliIo } from './io.ts';
import { openLocalContext } from './local-context.ts';
import type { LocalRun, LocalRunWish } from './local-host.ts';
import { openLocalSite, type LocalSite } from './local-site.ts';
import { createLocalRunId } from './run-marks.ts';

type Resolve = WorkRunOptions['resolveSecret'];

/** The request as a server would read it, its secrets apart; all logins of this user come with it. */
function readRequest({ body, context, registryHost, credentials }: LocalRunWish): {
  readonly request: RunRequest;
  readonly secrets: RequestSecrets;
} {
  const parsed = createRunRequestParser()(body);
  const isAllowed = parsed.credentials.sourceRegistry.loginMode !== 'None';
  const customRegistries = Object.fromEntries(
    Object.entries(credentials).filter(([host]) => isAllowed || host !== registryHost),
  );
  const whole = { ...parsed, credentials: { sourceRegistry: { loginMode: 'None' }, customRegistries } } as const;
  if (context?.kind !== 'remote') return splitSecrets(whole);
  const { location, secret } = splitSecret(context.location);
  return splitSecrets({ ...whole, sourceLocation: location }, secret);
}

function createOpener(
  config: Config,
  tempRoot: string,
  { context, description }: LocalRunWish,
): WorkRunOptions['openContext'] {
  const limits = { ...config.context, maxBytes: config.upload.maxBytes };
  const egress = createEgress({ allow: config.egressAllow });
  const uploads = { open: async () => undefined };
  const ownRegistry = { host: config.registryHost, url: config.url };
  const openRemote = createContextOpener({ egress, tempRoot, limits, uploads, git: config.git, ownRegistry });
  let isOpened = context?.kind !== 'archive';
  return (location, wish) => {
    // The run's own context is opened first; what comes afterwards are contexts that build steps name.
    if (isOpened || context?.kind !== 'archive') return openRemote(location, wish);
    isOpened = true;
    return openLocalContext(context, { description, tempRoot, limits, signal: wish.signal });
  };
}

/** Secrets come from the command line and from vaults: the own store is a server's. */
async function createResolve(config: Config, { secrets }: LocalRunWish, store: Store): Promise<Resolve> {
  const key = randomBytes(32);
  const own = createOwnSecrets(key, store.secrets);
  for (const [id, value] of secrets) await own.set(id, value, 'the command line');
  const sources = openSecretSources({ ...config, key, store: store.secrets });
  return async (source, signal) => {
    const { id, keyvault } = source;
    if (secrets.has(id)) return sources.resolve({ id }, signal);
    if (keyvault !== undefined) return sources.resolve(source, signal);
    const message = `the task asks for the secret "${id}"; without a server it is given by --secret-file ${id}=PATH`;
    throw fail('not-found', message, { field: 'secrets' });
  };
}

interface LocalWork {
  readonly io: CliIo;
  readonly config: Config;
  readonly site: LocalSite;
  readonly wish: LocalRunWish;
  readonly store: Store;
  readonly secrets: RequestSecrets;
  readonly resolveSecret: Resolve;
}

function workOptions({ io, config, site, wish, store, secrets, resolveSecret }: LocalWork): WorkRunOptions {
  const { engine, runner, tempRoot } = site;
  const egress = createEgress({ allow: config.egressAllow });
  return {
    name: config.worker.name,
    store,
    runner,
    registryHost: wish.registryHost,
    readEngine: () => engine.read(),
    clock: io.clock,
    timer: hostTimer,
    logger: pino({ level: 'silent' }),
    openSecrets: () => secrets,
    resolveSecret,
    issueCredential: () => {
      throw fail('internal', 'a run without a server has no credential of a server');
    },
    openContext: createOpener(config, tempRoot, wish),
    random: Math.random,
    images: config.steps.images,
    fetchText: (url, signal) => egress.fetchText(url, { signal, field: 'alias.src' }),
    archive: async () => undefined,
    plans: { keep: async () => undefined, find: async () => undefined },
    ...{ keepFailedMs: 0, loadArchived: async () => undefined, listWorkers: async () => [] },
    waitingSince: new Map(),
    line: { last: Promise.resolve() },
    maxParallel: wish.maxParallel ?? config.worker.maxParallel,
    maxAttempts: 1,
    onEngineLost: async () => undefined,
  };
}

function createReader(store: Store, { name }: Config): RunReader {
  return {
    server: 'this machine',
    run: async (id) => {
      const run = await store.runs.get(id as RunId);
      if (!run) throw fail('not-found', `there is no run ${id}`);
      return (runDocument(name, run) as { readonly properties: RunView }).properties;
    },
    events: async function* (id, after, signal) {
      for await (const event of store.events.follow(id as RunId, after, signal)) yield { event };
    },
  };
}

/** Does the run to its end and clears up; whatever happens, the run has an end afterwards. */
async function doRun(work: LocalWork, id: RunId, stopper: AbortController): Promise<void> {
  const { site, store } = work;
  await workRun(id, stopper, workOptions(work));
  const run = await store.runs.get(id);
  if (run && !isFinal(run.status)) await store.runs.end(id, 'Error', 'the run could not be done');
  await site.clear();
}

/**
 * Starts a run in this process, without a server: planned and done by what a worker plans and does runs with, its record and events in
 * memory. Composition root.
 * @throws `engine-unavailable` when no container engine answers, `invalid-request` for a wish that a server would refuse.
 */
export async function startLocalRun(io: CliIo, config: Config, wish: LocalRunWish): Promise<LocalRun> {
  const { request, secrets } = readRequest(wish);
  const id = createLocalRunId(io.clock.now()) as RunId;
  const store = createMemoryStore({ clock: io.clock, nameRun: () => id });
  const resolveSecret = await createResolve(config, wish, store);
  const site = await openLocalSite(io, config, { id, registryHost: wish.registryHost });
  await store.runs.create({ runType: 'QuickRun', request, sealedSecrets: 'in memory' });
  const stopper = new AbortController();
  const work = { io, config, site, wish, store, secrets, resolveSecret };
  const gone = doRun(work, id, stopper).catch(() => undefined);
  return {
    id,
    reader: createReader(store, config),
    cancel: () => {
      stop(stopper, { kind: 'canceled', by: 'Ctrl-C' });
    },
    gone,
  };
}
