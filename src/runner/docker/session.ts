import { setImmediate } from 'node:timers/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { engineUnavailable } from './errors.ts';
import type { EngineCalls } from './request.ts';
import { methodNames, sessionServices, type SessionOffer } from './session-services.ts';

/** An open session: BuildKit finds it by its id and asks it for credentials and secrets. */
export interface BuildSession {
  /** Ends it; may be called twice. */
  close(): void;
}

function noSession(cause: unknown): never {
  throw engineUnavailable('the container engine did not open a session for the build', cause);
}

/**
 * Opens a BuildKit session (`POST /session`, upgraded to HTTP/2 in which the engine is the client and we serve gRPC). A build with
 * `session=<id>` waits for it to come up, so both may be started at the same time. Rejects with `engine-unavailable`.
 */
export async function openSession(engine: EngineCalls, id: string, offer: SessionOffer): Promise<BuildSession> {
  const services = sessionServices(offer);
  const headers = {
    Upgrade: 'h2c',
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'slipway',
    'X-Docker-Expose-Session-Grpc-Method': methodNames(services),
  };
  const socket = await engine
    .hijack({ method: 'POST', path: '/session', headers, deadlineMs: 10_000 })
    .catch(noSession);
  const server = new Server();
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  socket.on('error', () => socket.destroy());
  server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(socket);
  // Node reads on the next tick what the socket had buffered, and throws where nobody can catch it if the session is gone by then.
  await setImmediate();
  return {
    close: () => {
      server.forceShutdown();
      socket.destroy();
    },
  };
}
