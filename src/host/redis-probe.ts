import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What a Redis says about itself. */
export interface RedisFacts {
  readonly version: string;
  readonly policy: string;
  readonly isPrimary: boolean;
}

/** The answer of one address: a Redis, or why not. */
export type RedisAnswer =
  { readonly ok: true; readonly facts: RedisFacts } | { readonly ok: false; readonly why: string };

/** `unix:///path` and `unix:path` become the plain path that Redis clients take; other addresses stay as they are. */
export function normalizeRedisUrl(url: string): string {
  return url.replace(/^unix:(?:\/\/)?(?=\/)/, '');
}

/** The address without its user and password. */
export function hideSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}

function open(url: string): Socket {
  if (url.startsWith('/')) return connect({ path: url.replace(/\?.*$/, '') });
  const parsed = new URL(/^[a-z]+:\/\//i.test(url) ? url : `redis://${url}`);
  const address = { host: parsed.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(parsed.port || 6379) };
  return parsed.protocol === 'rediss:' ? connectTls({ ...address, servername: address.host }) : connect(address);
}

function credentials(url: string): readonly string[] {
  if (!URL.canParse(url)) return [];
  const { username, password } = new URL(url);
  const words = [username, password].filter((word) => word !== '').map(decodeURIComponent);
  return words.length === 0 ? [] : ['AUTH', ...words];
}

/** One command in the RESP form of the protocol, which takes any bytes in a word. */
function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

function read(text: string): RedisAnswer {
  const fault = /^-(.*)$/m.exec(text)?.[1]?.trim();
  if (!/^\+PONG/m.test(text)) return { ok: false, why: fault ?? 'what answers there is no Redis' };
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? '';
  const facts = {
    version: field('redis_version'),
    policy: field('maxmemory_policy'),
    isPrimary: field('role') === 'master',
  };
  return { ok: true, facts };
}

/**
 * Asks an address (`redis://`, `rediss://`, `host:port`, a socket's path) whether a Redis answers there.
 * Never rejects, and never says the password.
 */
export function probeRedis(url: string, timeoutMs = 2000): Promise<RedisAnswer> {
  return new Promise((resolve) => {
    let socket: Socket;
    let commands: readonly (readonly string[])[];
    try {
      const login = credentials(url);
      commands = [...(login.length === 0 ? [] : [login]), ['PING'], ['INFO'], ['QUIT']];
      socket = open(url);
    } catch {
      resolve({ ok: false, why: 'the address is not a Redis URL' });
      return;
    }
    let text = '';
    const end = (answer: RedisAnswer): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => end({ ok: false, why: `no answer within ${timeoutMs} ms` }));
    socket.on('error', (error: NodeJS.ErrnoException) => end({ ok: false, why: error.code ?? error.message }));
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('close', () => end(read(text)));
    socket.write(commands.map(encode).join(''));
  });
}
