import { connect, type Socket } from 'node:net';

/** One request as it goes over the wire, and the method that the client takes it for (a HEAD is answered without a body). */
export interface WireRequest {
  readonly method: string;
  readonly bytes: Buffer;
}

interface WireAnswer {
  readonly status: number;
  /** Names in lower case; values of one name joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `closed`: the server ended the connection without an answer to this request. */
export type Outcome = WireAnswer | 'closed';

/** Requests that are sent at once on one connection. */
const pipelined = 20;
const patienceMs = 10_000;

/** Puts a request together; nothing in it is checked or escaped. */
export function wire(
  method: string,
  target: string,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer } = {},
): WireRequest {
  const body = Buffer.from(more.body ?? '');
  const length = body.length > 0 || method === 'PUT' || method === 'POST' || method === 'PATCH';
  const headers = { Host: 'registry.test', ...(length && { 'Content-Length': String(body.length) }), ...more.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
  return { method, bytes: Buffer.concat([head, body]) };
}

/**
 * Sends requests over connections that are kept, many at a time, and gives what became of each, in their order. Where
 * the server closes a connection, the requests after the one that it answered last go over another.
 */
export async function converse(port: number, requests: readonly WireRequest[], lanes = 4): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(requests.length).fill('closed');
  const share = Math.ceil(requests.length / lanes);
  const lane = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to;) {
      const batch = requests.slice(at, Math.min(to, at + pipelined));
      const answers = await exchange(port, batch);
      answers.forEach((answer, index) => (outcomes[at + index] = answer));
      at += answers.length;
      const last = answers.at(-1);
      if (answers.length === batch.length && (batch.length === 1 || last?.headers['connection'] !== 'close')) continue;
      // The parser's refusal may be of any request that followed: this one is asked again, alone.
      if (last !== undefined) at -= 1;
      const alone = requests[at];
      if (alone !== undefined) outcomes[at] = (await exchange(port, [alone]))[0] ?? 'closed';
      at += 1;
    }
  };
  await Promise.all(
    Array.from({ length: lanes }, (_, n) => lane(n * share, Math.min(requests.length, (n + 1) * share))),
  );
  return outcomes;
}

/** One connection: sends all, and resolves to the answers that came before it was closed or all were answered. */
export function exchange(port: number, requests: readonly WireRequest[]): Promise<WireAnswer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const answers: WireAnswer[] = [];
    let rest: Buffer = Buffer.alloc(0);
    const timer = setTimeout(() => {
      socket.destroy();
      const next = requests[answers.length]?.bytes.toString('latin1').slice(0, 400) ?? '';
      reject(new Error(`no answer within ${String(patienceMs)} ms to ${JSON.stringify(next)}`));
    }, patienceMs);
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answers);
    };
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let read = readAnswer(rest, requests[answers.length]?.method); read !== undefined;) {
        rest = rest.subarray(read.length);
        if (read.answer.status >= 200) answers.push(read.answer);
        if (answers.length === requests.length || read.answer.headers['connection'] === 'close') {
          end();
          return;
        }
        read = readAnswer(rest, requests[answers.length]?.method);
      }
    });
    socket.on('close', end).on('error', () => undefined);
    socket.write(Buffer.concat(requests.map(({ bytes }) => bytes)));
  });
}

/** Opens a connection and writes to it; for what is no whole request. */
export function open(port: number, bytes: string | Buffer): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).write(bytes);
  return socket;
}

/** Sends bytes and gives all that comes back until the server closes, or falls silent after `Connection: close`. */
export function say(port: number, bytes: string | Buffer, isHalfClosed = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = open(port, bytes);
    let heard = '';
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('data', (chunk) => (heard += chunk.toString('latin1')));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(heard);
    });
    if (isHalfClosed) socket.end();
  });
}

/** The first answer of what arrived, and its length; undefined when more must come. */
function readAnswer(bytes: Buffer, method = ''): { answer: WireAnswer; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? 0);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const hasBody = method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304;
  const length = hasBody ? Number(headers['content-length'] ?? 0) : 0;
  const from = end + 4;
  if (bytes.length < from + length) return undefined;
  return { answer: { status, headers, body: bytes.toString('utf8', from, from + length) }, length: from + length };
}
