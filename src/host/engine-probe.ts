import { request } from 'node:http';

/** What a container engine says about itself (`GET /version` of the Docker Engine API). */
export interface EngineFacts {
  readonly version: string;
  readonly apiVersion: string;
  readonly os: string;
  readonly arch: string;
}

/** The answer of one address: an engine, or why not. */
export type EngineAnswer =
  | { readonly ok: true; readonly facts: EngineFacts }
  | { readonly ok: false; readonly why: string; readonly code: string };

/** The lowest Engine API that Slipway speaks: 1.39 (Docker 18.09) brought BuildKit to `POST /build`. */
const lowestApi: readonly [number, number] = [1, 39];

/** Whether an Engine API version is one that Slipway can work with. */
export function isSupportedApi(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > lowestApi[0] || (major === lowestApi[0] && minor >= lowestApi[1]);
}

/** The part of a request's options that says where an engine is, or undefined for an address that is none. */
export function parseEngineHost(host: string): { socketPath: string } | { host: string; port: number } | undefined {
  const path = /^(?:unix:\/\/)?(\/.*)$/.exec(host)?.[1];
  if (path !== undefined) return { socketPath: path };
  if (!/^(?:tcp|http):\/\//.test(host) || !URL.canParse(host.replace(/^tcp/, 'http'))) return undefined;
  const url = new URL(host.replace(/^tcp/, 'http'));
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 2375) };
}

function readFacts(status: number | undefined, text: string): EngineAnswer {
  try {
    const body = JSON.parse(text) as Partial<Record<string, unknown>>;
    const word = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
    const facts = { version: word('Version'), apiVersion: word('ApiVersion'), os: word('Os'), arch: word('Arch') };
    if (status === 200 && facts.apiVersion !== '') return { ok: true, facts };
  } catch {
    // What is no JSON is no engine: said below.
  }
  return { ok: false, why: `what answers there is no container engine (status ${status ?? 0})`, code: 'EPROTO' };
}

/** Asks an address (`unix:///path`, `tcp://host:port`) whether a container engine answers there. Never rejects. */
export function probeEngine(host: string, timeoutMs = 3000): Promise<EngineAnswer> {
  const where = parseEngineHost(host);
  if (where === undefined) {
    return Promise.resolve({ ok: false, why: 'the address must be unix:///path or tcp://host:port', code: 'EINVAL' });
  }
  return new Promise((resolve) => {
    const options = { ...where, path: '/version', agent: false, headers: { host: 'docker' } } as const;
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(readFacts(response.statusCode, text)));
    });
    call.setTimeout(timeoutMs, () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ ok: false, why: error.code ?? error.message, code: error.code ?? 'ETIMEDOUT' });
    });
    call.end();
  });
}
