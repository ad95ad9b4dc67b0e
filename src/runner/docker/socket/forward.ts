import { once } from 'node:events';
import { request as plainRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { engineUnavailable } from '../errors.ts';
import type { ModemOptions } from '../host.ts';
import { readMessages, textField, type EngineMessage } from '../json-lines.ts';
import { sendJson, type Call } from './call.ts';
import type { RunNames } from './names.ts';

/** A call as the engine is to get it; nothing of the client's own goes along but what stands here. */
export interface Onward {
  /** Without version. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable | string;
  /** Milliseconds until the answer must have begun; 60 s when not given. */
  readonly deadlineMs?: number | 'none';
  /** Headers of the answer that are replaced. */
  readonly answerHeaders?: Readonly<Record<string, string>>;
  /** Sees each message of a streamed answer before the client does. */
  readonly take?: (message: EngineMessage) => void;
  /** Called when an answer that is no refusal is complete, before the client sees its end. */
  readonly done?: () => void;
}

/** Where calls go. */
export interface EngineLine {
  readonly address: ModemOptions;
  readonly names: RunNames;
}

type Opened = {
  readonly response: IncomingMessage;
  readonly upgraded?: { readonly socket: Duplex; readonly head: Buffer };
};

const usualDeadlineMs = 60_000;
const maxRefusalBytes = 64 * 1024;

function definedOnly({ socketPath, host, port, ca, cert, key }: ModemOptions): RequestOptions {
  const all = { socketPath, host, port, ca, cert, key };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function createRequest({ address }: EngineLine, call: Call, onward: Onward, wantsUpgrade: boolean): ClientRequest {
  const query = onward.query?.toString() ?? '';
  const headers = {
    Host: 'docker',
    ...onward.headers,
    ...(typeof onward.body === 'string' && { 'Content-Length': String(Buffer.byteLength(onward.body)) }),
    ...(onward.body === undefined && call.method !== 'GET' && call.method !== 'HEAD' && { 'Content-Length': '0' }),
    ...(wantsUpgrade && { Connection: 'Upgrade', Upgrade: 'tcp' }),
  };
  const path = `${call.version}${onward.path}${query === '' ? '' : `?${query}`}`;
  const send = address.protocol === 'https' ? secureRequest : plainRequest;
  return send({ ...definedOnly(address), method: call.method, path, headers, agent: false });
}

/** Sends a call to the engine. What is open ends with the client's connection. */
async function open(line: EngineLine, call: Call, onward: Onward, wantsUpgrade = false): Promise<Opened> {
  const sent = createRequest(line, call, onward, wantsUpgrade);
  const stop = (): void => void sent.destroy();
  call.answer.once('close', stop);
  call.connection?.once('close', stop);
  const { deadlineMs = usualDeadlineMs } = onward;
  const timer = deadlineMs === 'none' ? undefined : setTimeout(stop, deadlineMs);
  try {
    return await new Promise<Opened>((resolve, reject) => {
      sent.once('response', (response) => resolve({ response }));
      sent.once('upgrade', (response, socket, head) => resolve({ response, upgraded: { socket, head } }));
      sent.on('error', (error) => reject(engineUnavailable('the container engine did not answer', error)));
      if (onward.body === undefined || typeof onward.body === 'string') sent.end(onward.body);
      else pipeline(onward.body, sent).catch(() => undefined); // the request's own error tells
    });
  } finally {
    clearTimeout(timer);
  }
}

const ofOneConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'server', 'date']);

function headersOf(response: IncomingMessage, onward: Onward): Record<string, string | string[]> {
  const kept = Object.entries(response.headers).filter(([name]) => !ofOneConnection.has(name));
  return { ...Object.fromEntries(kept), ...onward.answerHeaders } as Record<string, string | string[]>;
}

/** Hands a refusal of the engine on, in the steps' own names. */
async function sendRefusal({ names }: EngineLine, call: Call, response: IncomingMessage): Promise<void> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    if (text.length < maxRefusalBytes) text += chunk;
  }
  const parsed = ((): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  })();
  sendJson(call, response.statusCode ?? 500, { message: names.clean(textField(parsed, 'message') ?? text.trim()) });
}

/** Passes chunks to a reader, and to the client once the reader has seen them. */
async function* relay(response: IncomingMessage, { answer }: Call): AsyncGenerator<Buffer> {
  for await (const chunk of response as AsyncIterable<Buffer>) {
    yield chunk;
    if (!answer.write(chunk)) await Promise.race([once(answer, 'drain'), once(answer, 'close')]);
    if (answer.destroyed) return;
  }
}

async function sendAnswer(call: Call, onward: Onward, response: IncomingMessage): Promise<void> {
  const { answer } = call;
  answer.writeHead(response.statusCode ?? 500, headersOf(response, onward));
  answer.flushHeaders();
  if (onward.take === undefined) {
    onward.done?.();
    await pipeline(response, answer);
    return;
  }
  await readMessages(relay(response, call), onward.take);
  onward.done?.();
  answer.end();
}

/** Has the engine answer a call; resolves when the client has the answer. Rejects when the engine cannot be asked. */
export async function pass(line: EngineLine, call: Call, onward: Onward): Promise<void> {
  const { response } = await open(line, call, onward);
  const isRefused = (response.statusCode ?? 500) >= 400;
  if (isRefused && call.method !== 'HEAD') await sendRefusal(line, call, response);
  else await sendAnswer(call, onward, response);
}

/** Joins two connections, each of which may end its own half first. */
function join(client: Duplex, engine: Duplex): Promise<void> {
  return new Promise((resolve) => {
    client.on('error', () => engine.destroy());
    engine.on('error', () => client.destroy());
    client.once('close', () => {
      engine.destroy();
      resolve();
    });
    engine.once('close', () => {
      if (!engine.readableEnded) client.destroy();
    });
    client.pipe(engine);
    engine.pipe(client);
  });
}

/**
 * Like {@link pass}, for calls that turn their connection into a stream in both directions (`attach`, `exec`). A client that did not ask
 * for that gets the answer alone.
 */
export async function passConnection(line: EngineLine, call: Call, onward: Onward): Promise<void> {
  const { connection, answer } = call;
  if (connection === undefined) return pass(line, call, onward);
  const { response, upgraded } = await open(line, call, onward, true);
  if (upgraded === undefined) {
    if ((response.statusCode ?? 500) >= 400) return sendRefusal(line, call, response);
    return sendAnswer(call, onward, response);
  }
  answer.detachSocket(connection);
  const type = response.headers['content-type'] ?? 'application/vnd.docker.raw-stream';
  connection.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  if (upgraded.head.length > 0) connection.write(upgraded.head);
  return join(connection, upgraded.socket);
}
