import { randomUUID } from 'node:crypto';
import { createObjectJournal } from '../blob/object-journal.ts';
import { createGivenSource } from './access/given-source.ts';
import { createLedgerAccessRecords } from './access/ledger-records.ts';
import { createRegistryAccess, type RegistryAccess } from './access/registry-access.ts';
import type { TokenService } from './access/token-service.ts';
import { checkRegistry } from './check/check.ts';
import { auditOf } from './audited.ts';
import { dispatchAcr } from './acr/dispatch.ts';
import { resumeDeletions } from './acr/delete-repository.ts';
import { ImageFactReader } from './acr/image-facts.ts';
import { acrPrefix } from './acr/routes.ts';
import { Collector } from './collector/collector.ts';
import { defaultCollection } from './collector/settings.ts';
import { dispatch, type Rooms } from './dispatch.ts';
import { openExchange, type Exchange } from './exchange.ts';
import { answerError, drain } from './failures.ts';
import { Imports } from './imports/desk.ts';
import { journalPrefix } from './layout.ts';
import { defaultLimits, type Registry, type RegistryLogger, type RegistryOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { createScanPolicyDesk } from './scan/documents.ts';
import { createCareDesk } from './policies/desk.ts';
import { createRateGate, rateKindOf } from './policies/rates.ts';
import { PolicyRounds } from './policies/rounds.ts';
import { defaultCare } from './policies/settings.ts';
import { Sessions } from './sessions.ts';
import { createTrustDesk, openTrustGate } from './trust/desk.ts';
import { closeState, openState, timeOf, type RegistryState } from './state.ts';

const sweepEveryMs = 60 * 60 * 1000;
const silent: RegistryLogger = { warn: () => undefined, error: () => undefined };

/**
 * An OCI distribution server (1.1) as a handler for `node:http`. Rebuilds its index from the store, tells again the
 * events that an earlier process left, and removes uploads that nobody continues.
 * @throws `unsupported` when the store was written by a newer version; `storage-unavailable`.
 */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const { storage, clock, logger = silent, newId = randomUUID } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const collection = { ...defaultCollection, ...options.collection };
  const care = { ...defaultCare, ...options.care };
  const journal = options.journal ?? createObjectJournal({ storage, prefix: journalPrefix, clock, isShared: false });
  const state = await openState({ storage, journal, clock, limits, collection, care, logger, newId });
  const { access, tokens, desk } = openAccess(state, options);
  const outbox = new Outbox(state, (event) => options.onEvent(event));
  const sessions = new Sessions(state);
  const collector = new Collector(state);
  const rounds = new PolicyRounds(state);
  const rates = createRateGate(care, clock);
  const trust = openTrustGate(state);
  const { audit = () => undefined, registryHost = 'localhost', openRemote } = options;
  const imports = new Imports(state, { registry: registryHost, openRemote, audit });
  const rooms: Rooms = { state, access, rates, audit, trust, sessions, facts: new ImageFactReader(state) };
  const sweep = startSweeping(rooms);
  outbox.replay();
  collector.start();
  rounds.start();
  return {
    ...readApi(state),
    accessDesk: desk,
    imports,
    care: createCareDesk(state, rounds, audit),
    scanPolicy: createScanPolicyDesk(state, audit),
    trustDesk: createTrustDesk(state, trust, audit),
    handle: (req, res, how = {}) => {
      if (!isOurs(req.url ?? '', tokens)) return false;
      const address = options.addressOf?.(req) ?? req.socket.remoteAddress;
      void serve(rooms, tokens, openExchange(req, res, { ...how, address }));
      return true;
    },
    removeExpiredUploads: () => sessions.removeExpired(),
    collect: (order) => collector.collect(order),
    check: (order = {}, signal = new AbortController().signal) =>
      checkRegistry({ state, journal, sessions }, order, signal),
    close: async () => {
      clearInterval(sweep);
      await imports.close();
      await rounds.close();
      await collector.close();
      await outbox.close();
      await closeState(state);
      await journal.close();
    },
  };
}

/** Who may use the registry: those who are given, and those who have records in it. */
function openAccess(state: RegistryState, options: RegistryOptions): RegistryAccess {
  const { authenticate, sources = [] } = options;
  return createRegistryAccess({
    ...options,
    records: createLedgerAccessRecords(state),
    sources: authenticate === undefined ? sources : [...sources, createGivenSource(authenticate)],
  });
}

function isOurs(url: string, tokens: TokenService): boolean {
  const path = url.split('?', 1)[0] ?? '';
  return path === '/v2' || path.startsWith('/v2/') || path.startsWith(acrPrefix) || tokens.owns(path);
}

async function serve(rooms: Rooms, tokens: TokenService, exchange: Exchange): Promise<void> {
  const { req, res } = exchange;
  req.socket.setTimeout(rooms.state.limits.socketIdleMs);
  res.setHeader('docker-distribution-api-version', 'registry/2.0');
  res.setHeader('x-content-type-options', 'nosniff');
  try {
    await rooms.state.ledger.refresh();
    if (tokens.owns(exchange.path)) {
      rooms.rates?.admit(exchange, 'login');
      await tokens.serve(exchange);
    } else {
      await rooms.access.identify(exchange);
      rooms.rates?.admit(exchange, rateKindOf(exchange));
      await (exchange.path.startsWith(acrPrefix) ? dispatchAcr : dispatch)(rooms, exchange);
      noteAudit(rooms, exchange);
    }
  } catch (error) {
    noteAudit(rooms, exchange, error);
    answerError(exchange, error, rooms.state.logger);
  }
  drain(exchange);
}

function noteAudit({ state, audit }: Rooms, exchange: Exchange, error?: unknown): void {
  const entry = auditOf(exchange, timeOf(state), error);
  if (entry !== undefined) audit(entry);
}

/** Looks for uploads that nobody continues, and for repositories whose deletion was interrupted: now, and every hour. */
function startSweeping(rooms: Rooms): NodeJS.Timeout {
  const { state, sessions } = rooms;
  const sweep = (): void => {
    resumeDeletions(state).catch((error: unknown) => {
      state.logger.warn({ err: error }, 'a repository could not be deleted to its end; the next try is in an hour');
    });
    sessions.removeExpired().catch((error: unknown) => {
      state.logger.warn({ err: error }, 'expired uploads could not be removed; the next try is in an hour');
    });
  };
  sweep();
  return setInterval(sweep, sweepEveryMs).unref();
}

function readApi({
  index,
}: RegistryState): Pick<Registry, 'resolve' | 'listRepositories' | 'listTags' | 'countUntoldEvents'> {
  return {
    resolve: (repository, reference) => {
      const found = index.repository(repository)?.find(reference);
      return found && { digest: found.digest, mediaType: found.mediaType, size: found.size };
    },
    listRepositories: () => index.names(),
    countUntoldEvents: () => index.events.size,
    listTags: (repository) => {
      const contents = index.repository(repository);
      return contents?.exists === true ? contents.tagNames : undefined;
    },
  };
}
