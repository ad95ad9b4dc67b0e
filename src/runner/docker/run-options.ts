import { fail } from '../../domain/failure.ts';
import type { PassedOption } from '../../domain/step.ts';
import { parseBytes, parseNanos, parseWhole } from './quantities.ts';

/** Parts of the body of `POST /containers/create` (Engine API, "Create a container"). */
export interface ContainerParts {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly host?: Readonly<Record<string, unknown>>;
  /** Of the container's end on its network. */
  readonly endpoint?: Readonly<Record<string, unknown>>;
}

type Mapping = (values: readonly string[]) => ContainerParts;

function last(values: readonly string[]): string {
  return values.at(-1) ?? '';
}

function refuse(flag: string, why: string): never {
  throw fail('unsupported', `--${flag} cannot be used here: ${why}`);
}

const hostText =
  (field: string): Mapping =>
  (values) => ({ host: { [field]: last(values) } });
const configText =
  (field: string): Mapping =>
  (values) => ({ config: { [field]: last(values) } });
const hostList =
  (field: string): Mapping =>
  (values) => ({ host: { [field]: values } });
const hostBytes =
  (field: string, flag: string): Mapping =>
  (values) => ({ host: { [field]: last(values) === '-1' ? -1 : parseBytes(last(values), `--${flag}`) } });
const hostWhole =
  (field: string, flag: string, least: number): Mapping =>
  (values) => {
    const value = parseWhole(last(values), `--${flag}`);
    if (value < least) throw fail('invalid-request', `--${flag} must be ${least} or more`);
    return { host: { [field]: value } };
  };
const hostSwitch =
  (field: string): Mapping =>
  () => ({ host: { [field]: true } });

/** `NAME=VALUE` as a pair; the value is empty where there is none. */
function cut(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}

function readUlimit(text: string): object {
  const found = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (!found) throw fail('invalid-request', `--ulimit must be NAME=SOFT[:HARD], not "${text}"`);
  return { Name: found[1], Soft: Number(found[2]), Hard: Number(found[3] ?? found[2]) };
}

function readSecurityOption(text: string): string {
  if (/^no-new-privileges(?:[:=]true)?$/.test(text)) return 'no-new-privileges';
  return refuse('security-opt', `"${text}" would take away what keeps the step in its container`);
}

/** Kernel settings that belong to the container's own namespaces; the engine refuses others too. */
function readSysctl(text: string): readonly [string, string] {
  const [name, value] = cut(text, '=');
  if (/^(?:net\.|kernel\.(?:msg|shm|sem)|fs\.mqueue\.)/.test(name)) return [name, value];
  return refuse('sysctl', `${name} is a setting of the whole machine`);
}

/** The name under which others of the run find the step; the container's own name is Slipway's. */
const alias: Mapping = (values) => ({ endpoint: { Aliases: values } });
const address =
  (field: string): Mapping =>
  (values) => ({ endpoint: { IPAMConfig: { [field]: last(values) } } });
const health =
  (field: string, read: (text: string) => unknown): Mapping =>
  (values) => ({ config: { Healthcheck: { [field]: read(last(values)) } } });
const healthTime = (field: string, flag: string): Mapping => health(field, (text) => parseNanos(text, `--${flag}`));

const mappings: Readonly<Record<string, Mapping>> = {
  'add-host': hostList('ExtraHosts'),
  'cap-drop': hostList('CapDrop'),
  'cpu-period': hostWhole('CpuPeriod', 'cpu-period', 0),
  'cpu-quota': hostWhole('CpuQuota', 'cpu-quota', 0),
  'cpu-shares': hostWhole('CpuShares', 'cpu-shares', 0),
  'cpuset-cpus': hostText('CpusetCpus'),
  'cpuset-mems': hostText('CpusetMems'),
  dns: hostList('Dns'),
  'dns-opt': hostList('DnsOptions'),
  'dns-option': hostList('DnsOptions'),
  'dns-search': hostList('DnsSearch'),
  domainname: configText('Domainname'),
  'group-add': hostList('GroupAdd'),
  'health-cmd': health('Test', (text) => ['CMD-SHELL', text]),
  'health-interval': healthTime('Interval', 'health-interval'),
  'health-retries': health('Retries', (text) => parseWhole(text, '--health-retries')),
  'health-start-period': healthTime('StartPeriod', 'health-start-period'),
  'health-timeout': healthTime('Timeout', 'health-timeout'),
  hostname: configText('Hostname'),
  init: hostSwitch('Init'),
  // A step has no standard input that anybody could write to: it is at its end from the start.
  interactive: () => ({}),
  ip: address('IPv4Address'),
  ip6: address('IPv6Address'),
  label: (values) => ({ config: { Labels: Object.fromEntries(values.map((text) => cut(text, '='))) } }),
  'mac-address': configText('MacAddress'),
  'memory-reservation': hostBytes('MemoryReservation', 'memory-reservation'),
  'memory-swap': hostBytes('MemorySwap', 'memory-swap'),
  'memory-swappiness': hostWhole('MemorySwappiness', 'memory-swappiness', 0),
  name: alias,
  'net-alias': alias,
  'network-alias': alias,
  'no-healthcheck': () => ({ config: { Healthcheck: { Test: ['NONE'] } } }),
  'oom-score-adj': hostWhole('OomScoreAdj', 'oom-score-adj', 0),
  'pids-limit': hostWhole('PidsLimit', 'pids-limit', 1),
  // Honoured elsewhere: when the image is pulled, and with the ports.
  platform: () => ({}),
  'publish-all': () => ({}),
  'read-only': hostSwitch('ReadonlyRootfs'),
  'security-opt': (values) => ({ host: { SecurityOpt: values.map(readSecurityOption) } }),
  'shm-size': hostBytes('ShmSize', 'shm-size'),
  'stop-signal': configText('StopSignal'),
  'stop-timeout': (values) => ({ config: { StopTimeout: parseWhole(last(values), '--stop-timeout') } }),
  sysctl: (values) => ({ host: { Sysctls: Object.fromEntries(values.map(readSysctl)) } }),
  tmpfs: (values) => ({ host: { Tmpfs: Object.fromEntries(values.map((text) => cut(text, ':'))) } }),
  tty: () => ({ config: { Tty: true } }),
  ulimit: (values) => ({ host: { Ulimits: values.map(readUlimit) } }),
};

/** What an operator may let steps have although it reaches into the machine. */
const privilegedMappings: Readonly<Record<string, Mapping>> = {
  'cap-add': hostList('CapAdd'),
  device: (values) => ({
    host: {
      Devices: values.map((text) => {
        const [outside = '', inside = outside, rights = 'rwm'] = text.split(':');
        return { PathOnHost: outside, PathInContainer: inside, CgroupPermissions: rights };
      }),
    },
  }),
  ipc: hostText('IpcMode'),
  'oom-kill-disable': hostSwitch('OomKillDisable'),
  pid: hostText('PidMode'),
  'security-opt': hostList('SecurityOpt'),
  userns: hostText('UsernsMode'),
  uts: hostText('UTSMode'),
};

function mappingOf(name: string, allowPrivileged: boolean): Mapping {
  const known = (table: Readonly<Record<string, Mapping>>): Mapping | undefined =>
    Object.hasOwn(table, name) ? table[name] : undefined;
  const mapping = (allowPrivileged ? known(privilegedMappings) : undefined) ?? known(mappings);
  if (mapping) return mapping;
  const isHosts = Object.hasOwn(privilegedMappings, name);
  return refuse(name, isHosts ? 'it would reach into the machine that runs the containers' : 'it is not supported');
}

/** Objects one level deep are joined (labels, health checks), lists too (aliases); anything else is replaced. */
function join(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) return [...(one as unknown[]), ...(other as unknown[])];
  const isObject = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject(one) && isObject(other) ? { ...one, ...other } : other;
}

/** Puts the fields of `second` over those of `first`. */
export function joinParts(first: ContainerParts, second: ContainerParts): ContainerParts {
  const merge = (a: ContainerParts['config'] = {}, b: ContainerParts['config'] = {}): Record<string, unknown> => ({
    ...a,
    ...Object.fromEntries(Object.entries(b).map(([key, value]) => [key, key in a ? join(a[key], value) : value])),
  });
  return {
    config: merge(first.config, second.config),
    host: merge(first.host, second.host),
    endpoint: merge(first.endpoint, second.endpoint),
  };
}

/**
 * What flags of `docker run` mean for a container.
 * @throws `unsupported` for a flag that reaches into the host, or that is not known; `invalid-request` for a value that is none.
 */
export function readRunOptions(options: readonly PassedOption[], allowPrivileged: boolean): ContainerParts {
  const names = [...new Set(options.map(({ name }) => name))];
  return names.reduce<ContainerParts>((parts, name) => {
    const values = options.flatMap((option) => (option.name === name ? [option.value ?? ''] : []));
    return joinParts(parts, mappingOf(name, allowPrivileged)(values));
  }, {});
}
