import { chmod, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, ServerResponse, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Call } from './call.ts';
import { sendJson } from './call.ts';
import { containerRoutes } from './container-routes.ts';
import type { Handler } from './handler.ts';
import { imageRoutes } from './image-routes.ts';
import type { Means } from './means.ts';
import { describeRefusal, refuse } from './refusal.ts';
import { findRoute, splitVersion } from './routes.ts';
import { sharedRoutes } from './shared-routes.ts';
import { systemRoutes } from './system-routes.ts';

/** Every call that a step may make; what is not here is refused. */
export const allRoutes: Readonly<Record<string, Handler>> = {
  ...systemRoutes,
  ...containerRoutes,
  ...imageRoutes,
  ...sharedRoutes,
};

/** Why whole parts of the API are not there. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^\/(?:session|grpc)/, 'BuildKit cannot be looked into; set DOCKER_BUILDKIT=0, or write a build step'],
  [
    /^\/(?:swarm|nodes|services|tasks|secrets|configs|plugins)/,
    'it is about the engine as a whole, not about this run',
  ],
  [/^\/(?:images|build)\/prune/, 'images and their cache are shared with other runs'],
];

const usualReason = 'this call is not among those that a run may make';

async function answerCall(means: Means, call: Call): Promise<void> {
  const route = findRoute(allRoutes, call.method, call.path);
  if (route === undefined) {
    const reason = reasons.find(([pattern]) => pattern.test(call.path))?.[1] ?? usualReason;
    throw refuse(`${call.method} ${call.path.slice(0, 100)}`, reason);
  }
  await route.found(means, call, route.params);
}

function sendError(means: Means, call: Pick<Call, 'answer'>, error: unknown): void {
  const { answer } = call;
  if (answer.headersSent || answer.destroyed) {
    answer.destroy();
    return;
  }
  const { status, message } = describeRefusal(error);
  sendJson(call, status, { message: means.names.clean(message) });
}

type Answered = Pick<Call, 'answer' | 'body' | 'connection'>;

async function serve(means: Means, incoming: IncomingMessage, answered: Answered): Promise<void> {
  try {
    const url = incoming.url ?? '';
    const at = url.indexOf('?');
    const { version, rest: path } = splitVersion(at < 0 ? url : url.slice(0, at));
    const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
    await answerCall(means, {
      method: incoming.method ?? '',
      version,
      path,
      query,
      headers: incoming.headers,
      ...answered,
    });
  } catch (error) {
    sendError(means, answered, error);
  }
}

/** Bodies of calls that take the connection over. */
const maxUpgradeBody = 1024 * 1024;

/**
 * The body of a call that takes the connection over: Node leaves it on the connection, before what the client says afterwards, which
 * is put back.
 */
async function readUpgradeBody(incoming: IncomingMessage, socket: Socket, head: Buffer): Promise<Readable> {
  const length = Number(incoming.headers['content-length'] ?? 0);
  if (incoming.headers['transfer-encoding'] !== undefined || !(length <= maxUpgradeBody)) {
    throw refuse('a body like this with an upgrade', 'its length must be known and small');
  }
  let read = head;
  while (read.length < length) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    read = Buffer.concat([read, chunk]);
  }
  if (read.length > length) socket.unshift(read.subarray(length));
  return Readable.from(length === 0 ? [] : [read.subarray(0, length)]);
}

async function serveUpgrade(means: Means, incoming: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
  const answer = new ServerResponse(incoming);
  answer.shouldKeepAlive = false;
  answer.assignSocket(socket);
  answer.once('finish', () => socket.end());
  socket.on('error', () => socket.destroy());
  try {
    const body = await readUpgradeBody(incoming, socket, head);
    await serve(means, incoming, { answer, body, connection: socket });
  } catch (error) {
    sendError(means, { answer }, error);
  }
}

/** An engine socket that listens. */
export interface SocketServer {
  /** Lets nobody in any more, breaks all connections, and resolves when no call is being answered. */
  close(): Promise<void>;
}

/** Far above what a client opens. */
const maxConnections = 512;

/** Listens at a path (mode 0666: the directory around it keeps others out) and answers by {@link allRoutes}. */
export async function listenAt(path: string, means: Means): Promise<SocketServer> {
  const underway = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  const track = (work: Promise<void>): void => {
    const done = work.catch(() => undefined).finally(() => underway.delete(done));
    underway.add(done);
  };
  const server = createServer({
    requireHostHeader: false,
    maxHeaderSize: 64 * 1024,
    headersTimeout: 10_000,
    requestTimeout: 0,
  });
  server.maxConnections = maxConnections;
  server.on('request', (incoming, answer) => {
    track(serve(means, incoming, { answer, body: incoming, connection: undefined }));
  });
  server.on('upgrade', (incoming, socket, head) => {
    if (socket instanceof Socket) track(serveUpgrade(means, incoming, socket, head));
    else socket.destroy();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await rm(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o666);
  return {
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      while (underway.size > 0) await Promise.all(underway);
      await rm(path, { force: true });
    },
  };
}
