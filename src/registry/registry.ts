import { randomUUID } from 'node:crypto';
import { createAccess } from './access.ts';
import { dispatch, type Rooms } from './dispatch.ts';
import { oci } from './errors.ts';
import { openExchange, type Exchange } from './exchange.ts';
import { answerError, drain } from './failures.ts';
import { defaultLimits, type Registry, type RegistryLogger, type RegistryOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import { Sessions } from './sessions.ts';
import { openState, type RegistryState } from './state.ts';
import { createTokenService, tokenPath, type TokenService } from './tokens.ts';

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
  const state = await openState({ storage, clock, limits, logger, newId });
  const tokens = options.bearer === undefined && options.anonymousPull ? createTokenService(options) : undefined;
  const bearer = options.bearer ?? tokens;
  const access = createAccess({
    authenticate: (username, password) => options.authenticate(username, password),
    anonymousPull: options.anonymousPull,
    ...(bearer && { bearer }),
  });
  const outbox = new Outbox(state, (event) => options.onEvent(event));
  const sessions = new Sessions(state);
  const rooms: Rooms = { state, access, outbox, sessions };
  const sweep = startSweeping(rooms);
  await outbox.replay();
  return {
    ...readApi(state),
    handle: (req, res, how = {}) => {
      if (!isOurs(req.url ?? '', tokens)) return false;
      void serve(rooms, tokens, openExchange(req, res, how.awaitsContinue === true));
      return true;
    },
    removeExpiredUploads: () => sessions.removeExpired(),
    close: async () => {
      clearInterval(sweep);
      await outbox.close();
    },
  };
}

function isOurs(url: string, tokens: TokenService | undefined): boolean {
  const path = url.split('?', 1)[0] ?? '';
  return path === '/v2' || path.startsWith('/v2/') || (tokens !== undefined && path === tokenPath);
}

async function serve(rooms: Rooms, tokens: TokenService | undefined, exchange: Exchange): Promise<void> {
  const { req, res } = exchange;
  req.socket.setTimeout(rooms.state.limits.socketIdleMs);
  res.setHeader('docker-distribution-api-version', 'registry/2.0');
  res.setHeader('x-content-type-options', 'nosniff');
  try {
    if (exchange.path === tokenPath) await issueToken(tokens, exchange);
    else {
      await rooms.access.identify(exchange);
      await dispatch(rooms, exchange);
    }
  } catch (error) {
    answerError(exchange, error, rooms.state.logger);
  }
  drain(exchange);
}

async function issueToken(tokens: TokenService | undefined, exchange: Exchange): Promise<void> {
  if (tokens !== undefined && exchange.method === 'GET') return tokens.issue(exchange);
  throw oci('UNSUPPORTED', `${exchange.method} is not offered here`, { headers: { allow: 'GET' } });
}

/** Looks for uploads that nobody continues: now, and every hour. */
function startSweeping(rooms: Rooms): NodeJS.Timeout {
  const sweep = (): void => {
    rooms.sessions.removeExpired().catch((error: unknown) => {
      rooms.state.logger.warn({ err: error }, 'expired uploads could not be removed; the next try is in an hour');
    });
  };
  sweep();
  return setInterval(sweep, sweepEveryMs).unref();
}

function readApi({ index }: RegistryState): Pick<Registry, 'resolve' | 'listRepositories' | 'listTags'> {
  return {
    resolve: (repository, reference) => {
      const found = index.repository(repository)?.find(reference);
      return found && { digest: found.digest, mediaType: found.mediaType, size: found.size };
    },
    listRepositories: () => index.names(),
    listTags: (repository) => {
      const contents = index.repository(repository);
      return contents?.exists === true ? contents.tagNames : undefined;
    },
  };
}
