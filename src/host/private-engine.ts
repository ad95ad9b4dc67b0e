import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../domain/failure.ts';
import { awaitReady, findBackground, readLogTail, startBackground, stopBackground } from './background.ts';
import { ensureControlGroups } from './control-groups.ts';
import { probeEngine, type EngineFacts } from './engine-probe.ts';
import { detectFirewall, removeNetworkTraces, type Firewall } from './firewall.ts';
import { findForeignEngine } from './foreign-engine.ts';
import { ensureProgram } from './packages.ts';
import { socketDirectory } from './sockets.ts';
import { chooseSubnets, parseRoutes } from './subnet.ts';
import type { HostTools } from './tools.ts';

/** The names of the private engine's two processes. */
export const engineProcess = 'dockerd';
export const containerdProcess = 'containerd';
/** The bridge that an engine makes for itself. */
const engineBridge = 'docker0';

/** How to start a private engine. */
export interface PrivateEngineOptions {
  readonly dataDir: string;
  readonly install: boolean;
  /**
   * True: in a network of its own without any way out, beside whatever engine the host has. Otherwise the engine makes
   * the host's container bridge and packet filter rules, and must be the only one.
   */
  readonly isIsolated?: boolean;
  /** Environment of the engine's processes; undefined: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

interface Layout {
  readonly root: string;
  readonly run: string;
  readonly host: string;
  readonly containerd: string;
  readonly bridgeMark: string;
}

function layOut(dataDir: string): Layout {
  const root = join(dataDir, 'engine');
  const run = socketDirectory(dataDir, 'engine/run');
  return {
    root,
    run,
    host: `unix://${join(run, 'docker.sock')}`,
    containerd: join(run, 'containerd.sock'),
    bridgeMark: join(root, 'bridge'),
  };
}

/** The address of the private engine of a data directory, whether it runs or not. */
export function privateEngineHost(dataDir: string): string {
  return layOut(dataDir).host;
}

/**
 * Removes the container bridge and the packet filter rules that a private engine made on this host; nothing when they
 * were there before it, or another engine uses them by now.
 */
export async function removeEngineTraces(tools: HostTools, dataDir: string): Promise<void> {
  const { bridgeMark } = layOut(dataDir);
  if (!existsSync(bridgeMark) || findForeignEngine() !== undefined) return;
  const suffix = readFileSync(bridgeMark, 'utf8') === 'legacy' ? '-legacy' : '';
  await removeNetworkTraces(tools.commands, [`iptables${suffix}`, `ip6tables${suffix}`], engineBridge);
}

/** The private engine's facts when it runs and answers. */
export async function findPrivateEngine(dataDir: string): Promise<EngineFacts | undefined> {
  if (findBackground(dataDir, engineProcess) === undefined) return undefined;
  const answer = await probeEngine(layOut(dataDir).host);
  return answer.ok ? answer.facts : undefined;
}

/**
 * Starts `containerd` and `dockerd` with everything they own under the data directory (data, state, sockets, pid and log
 * files), and waits until the engine answers.
 * @returns the engine's address.
 * @throws `engine-unavailable` with what is missing or the end of the log.
 */
export async function startPrivateEngine(tools: HostTools, options: PrivateEngineOptions): Promise<string> {
  const { dataDir, environment } = options;
  const programs = await ensureEnginePrograms(tools, options.install);
  await stopPrivateEngine(dataDir);
  if (options.isIsolated !== true) refuseSecondEngine();
  await ensureControlGroups(tools);
  const layout = layOut(dataDir);
  mkdirSync(layout.root, { recursive: true, mode: 0o711 });
  const firewall = await chooseFirewall(tools, options, layout);
  tools.say(`Starting a private container engine under ${dataDir} …`);
  const base = environment === undefined ? {} : { environment };
  const containerd = withPath(tools, { program: programs.containerd, args: configureContainerd(layout) }, firewall);
  await startBackground(dataDir, { name: containerdProcess, ...containerd, ...base });
  await awaitReady(dataDir, containerdProcess, () => Promise.resolve(existsSync(layout.containerd) || undefined));
  const args = ['--config-file', configureEngine(layout, firewall, options.isIsolated === true)];
  const plain = { program: programs.dockerd, args };
  const dockerd = withPath(tools, options.isIsolated === true ? isolate(plain) : plain, firewall);
  await startBackground(dataDir, { name: engineProcess, ...dockerd, ...base });
  const facts = await awaitReady(dataDir, engineProcess, async () => {
    const answer = await probeEngine(layout.host);
    return answer.ok ? answer.facts : undefined;
  });
  if (facts !== undefined) return layout.host;
  const log = join(dataDir, 'run', `${engineProcess}.log`);
  const said = explainLog(readLogTail(log, 40));
  await stopPrivateEngine(dataDir);
  throw fail('engine-unavailable', `the private container engine did not come up: ${said}`, {
    hint: `Its log is ${log}. Or start an engine yourself and set DOCKER_HOST.`,
  });
}

function refuseSecondEngine(): void {
  const pid = findForeignEngine();
  if (pid === undefined) return;
  throw fail('engine-unavailable', `a container engine runs (pid ${pid}) but answers at none of the usual sockets`, {
    hint: 'Set DOCKER_HOST to its address. A second engine beside it would break its network.',
  });
}

/** Stops the private engine, and the containers that it runs with it. */
export async function stopPrivateEngine(dataDir: string): Promise<boolean> {
  const stopped = await stopBackground(dataDir, engineProcess, 20_000);
  return (await stopBackground(dataDir, containerdProcess)) || stopped;
}

/** What brings the programs of an engine. */
const enginePackages = {
  packages: ['docker.io', 'ca-certificates'],
  otherwise: 'start a container engine and set DOCKER_HOST',
  reason: 'engine-unavailable',
} as const;

/** Makes sure that the programs of an engine are installed; see {@link ensureProgram}. */
export async function ensureEnginePrograms(
  tools: HostTools,
  install: boolean,
): Promise<{ readonly dockerd: string; readonly containerd: string }> {
  const dockerd = await ensureProgram(tools, { ...enginePackages, program: 'dockerd' }, install);
  return { dockerd, containerd: await ensureProgram(tools, { ...enginePackages, program: 'containerd' }, install) };
}

async function chooseFirewall(tools: HostTools, options: PrivateEngineOptions, layout: Layout): Promise<Firewall> {
  if (options.isIsolated === true) return { kind: 'none' };
  const firewall = await detectFirewall(tools.commands, join(layout.root, 'firewall'));
  if (firewall.kind === 'none') {
    tools.say('iptables does not work here: containers of the private engine will not reach the network.');
  }
  return firewall;
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * The command with a full system PATH, so that the engine finds iptables, runc and its shims whatever the caller's PATH
 * is; the older packet filter's programs come first where they are needed. `env` keeps the rest of the environment.
 */
function withPath(tools: HostTools, { program, args }: Command, firewall: Firewall): Command {
  const env = tools.commands.find('env');
  const system = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const path = firewall.kind === 'legacy' ? [firewall.path, ...system] : system;
  return env === undefined ? { program, args } : { program: env, args: [`PATH=${path.join(':')}`, program, ...args] };
}

/** The command in a network namespace of its own (unshare(1)). */
function isolate({ program, args }: Command): Command {
  return { program: 'unshare', args: ['--net', program, ...args] };
}

function configureContainerd({ root, run, containerd }: Layout): readonly string[] {
  const file = join(root, 'containerd.toml');
  const lines = [
    'version = 2',
    `root = ${JSON.stringify(join(root, 'containerd'))}`,
    `state = ${JSON.stringify(join(run, 'containerd'))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = ${JSON.stringify(containerd)}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return ['--config', file];
}

function readUsedSubnets(): ReturnType<typeof parseRoutes> {
  try {
    return parseRoutes(readFileSync('/proc/net/route', 'latin1'));
  } catch {
    return [];
  }
}

/** Writes the engine's configuration file, so that the host's own `/etc/docker/daemon.json` has no say. */
function configureEngine(layout: Layout, firewall: Firewall, isIsolated: boolean): string {
  const file = join(layout.root, 'daemon.json');
  const subnets = chooseSubnets(readUsedSubnets());
  const pools = subnets && [{ base: subnets.pool, size: 24 }];
  const isBridgeThere = existsSync(`/sys/class/net/${engineBridge}`);
  if (!isIsolated && !isBridgeThere) writeFileSync(layout.bridgeMark, firewall.kind);
  // An engine told to do without a bridge deletes `docker0` wherever it stands, so only an isolated one is told so.
  const network = isIsolated
    ? { bridge: 'none' }
    : {
        ...(subnets && !isBridgeThere ? { bip: subnets.bridge } : {}),
        ...(pools && { 'default-address-pools': pools }),
      };
  const filter = firewall.kind === 'none' ? { iptables: false, ip6tables: false, 'ip-masq': false } : {};
  const configuration = {
    hosts: [layout.host],
    'data-root': join(layout.root, 'data'),
    'exec-root': join(layout.run, 'exec'),
    pidfile: join(layout.run, 'dockerd.pid'),
    containerd: layout.containerd,
    'shutdown-timeout': 5,
    'log-driver': 'local',
    ...network,
    ...filter,
  };
  writeFileSync(file, JSON.stringify(configuration, undefined, 2), { mode: 0o600 });
  return file;
}

/** The line of an engine's log that says why it gave up, shortened to what a person needs. */
export function explainLog(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const fatal = lines.findLast((line) =>
    /failed to start|level=fatal|error initializing|permission denied/i.test(line),
  );
  return (fatal ?? lines.at(-1) ?? 'it said nothing').slice(0, 500);
}
