import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { fail, type FailureError } from '../../domain/failure.ts';
import { EngineRefusal } from './errors.ts';
import { parseEngineHost, type EngineTls, type ModemOptions } from './host.ts';
import { createEngineCalls, type EngineCalls } from './request.ts';

/** What an engine says of itself. */
export interface EngineVersion {
  /** `20.10.24` */
  readonly version: string;
  /** `1.41` */
  readonly apiVersion: string;
  /** True when `POST /build?version=2` runs BuildKit. */
  readonly hasBuildKit: boolean;
  /** What the engine builds when no platform is named: `linux/amd64`. */
  readonly platform: string;
}

/** A connection to one container engine. */
export interface Engine extends EngineCalls {
  /** The address it was made with. */
  readonly host: string;
  /** The same in parts, with its certificates. */
  readonly address: ModemOptions;
  /** Resolves when the engine answers in time; rejects with `engine-unavailable` when not. */
  ping(options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<void>;
  /** Asked once and kept, as long as the asking succeeded. */
  version(): Promise<EngineVersion>;
  /** Looks at the engine: it must answer now, whatever was known before. Rejects like `ping`. */
  read(): Promise<{ readonly version: string; readonly architecture: string }>;
  /** Drops idle connections; calls under way go on. */
  close(): void;
}

/** How to reach the engine. */
export interface EngineOptions {
  /** `unix:///path` or `tcp://host:port`. */
  readonly host: string;
  readonly tls?: EngineTls;
}

/** The oldest Engine API with `version=2` builds that are no experiment (Docker 18.09). */
const firstApiWithBuildKit = 39;

function textField(answer: unknown, name: string): string {
  const value = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function noEngine(): FailureError {
  const hint = 'DOCKER_HOST must be the address of a Docker Engine API';
  return fail('engine-unavailable', 'what answers at the engine’s address is no container engine', { hint });
}

/** A refusal where no engine refuses: something else listens there. */
function notAnEngine(error: unknown): never {
  throw error instanceof EngineRefusal && error.status < 500 ? noEngine() : error;
}

async function askVersion(calls: EngineCalls): Promise<EngineVersion> {
  const answer = await calls.json({ method: 'GET', path: '/version', deadlineMs: 10_000 });
  const [apiVersion, version] = [textField(answer, 'ApiVersion'), textField(answer, 'Version')];
  const [os, arch] = [textField(answer, 'Os') || 'linux', textField(answer, 'Arch')];
  if (!/^1\.\d+$/.test(apiVersion)) throw noEngine();
  const hasBuildKit = Number(apiVersion.slice(2)) >= firstApiWithBuildKit && os === 'linux';
  return { version, apiVersion, hasBuildKit, platform: `${os}/${arch}` };
}

/**
 * Keeps connections for reuse. It has a word for itself, because docker-modem writes out the options of every request for its debug log,
 * also where that is off; the agent leads to all open connections, and with eight of them that took 100 ms a container.
 */
function createAgent(isSecure: boolean): Agent {
  const agent = isSecure ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  return Object.defineProperty(agent, inspect.custom, { value: () => 'Agent' });
}

/**
 * Prepares a connection to a container engine; nothing is sent yet.
 * @throws `invalid-request` when the host is no address of an engine.
 */
export function connectEngine({ host, tls }: EngineOptions): Engine {
  const options = parseEngineHost(host, tls);
  const agent = createAgent(options.protocol === 'https');
  const docker = new Docker({ ...options, agent } as Docker.DockerOptions);
  const calls = createEngineCalls({ modem: docker.modem, host });
  let known: Promise<EngineVersion> | undefined;
  const version = (): Promise<EngineVersion> => {
    known ??= askVersion(calls).catch((error: unknown) => {
      known = undefined;
      return notAnEngine(error);
    });
    return known;
  };
  const ping: Engine['ping'] = async ({ timeoutMs = 3000, signal } = {}) => {
    const request = { method: 'GET', path: '/_ping', deadlineMs: timeoutMs, ...(signal && { signal }) } as const;
    await calls.json(request).catch(notAnEngine);
  };
  return {
    ...calls,
    host,
    address: options,
    version,
    ping,
    read: async () => {
      await ping();
      const known = await version();
      return { version: known.version, architecture: known.platform.split('/')[1] ?? 'amd64' };
    },
    close: () => agent.destroy(),
  };
}
