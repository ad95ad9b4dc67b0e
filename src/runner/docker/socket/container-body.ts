import { droppedRights, logging } from '../container-limits.ts';
import { capAmounts } from './container-caps.ts';
import { joinLabels } from './labels.ts';
import {
  emptyBecause,
  flag,
  isObject,
  keySet,
  number,
  oneOf,
  passedOver,
  plainObject,
  readFields,
  show,
  text,
  textMap,
  texts,
  words,
  type Fields,
  type Rule,
  type Rules,
} from './fields.ts';
import { links, readNetworking } from './endpoints.ts';
import { readMounts } from './mounts.ts';
import { portBindings } from './ports.ts';
import type { ContainerWorld } from './world.ts';
import { reachesHost, refuse, wrong } from './refusal.ts';

/** Rights that the engine gives every container and that stay. */
const usualRights = new Set(
  'CHOWN DAC_OVERRIDE FSETID FOWNER SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  ),
);

const toHost = emptyBecause(reachesHost);

/** `container:NAME` with the name resolved. */
function containerMode(world: ContainerWorld, allowed: Rule): Rule {
  return (value, field) => {
    if (typeof value !== 'string' || !value.startsWith('container:')) return allowed(value, field);
    return `container:${world.container(value.slice('container:'.length))}`;
  };
}

function networkMode(world: ContainerWorld): Rule {
  return (value, field) => {
    const name = (text(value, field) ?? '') as string;
    if (name.startsWith('container:')) return `container:${world.container(name.slice('container:'.length))}`;
    return world.network(name === '' ? 'default' : name).mode;
  };
}

/** `NAME[:ro]` of containers whose volumes a container is to have too. */
function volumesFrom(world: ContainerWorld): Rule {
  return (value, field) =>
    (texts(value, field) as readonly string[] | null | undefined)?.map((one) => {
      const [name = '', mode] = one.split(':');
      return [world.container(name), ...(mode === undefined ? [] : [mode === 'ro' ? 'ro' : 'rw'])].join(':');
    });
}

const addedRights: Rule = (value, field) => {
  const given = texts(value, field) as readonly string[] | null | undefined;
  const much = given?.find((name) => !usualRights.has(name.toUpperCase().replace(/^CAP_/, '')));
  if (much !== undefined) throw refuse(`the right "${show(much)}"`, reachesHost);
  return given;
};

const droppedToo: Rule = (value, field) => [
  ...new Set([...((texts(value, field) ?? []) as readonly string[]), ...droppedRights]),
];

const securityOptions: Rule = (value, field) => {
  const given = texts(value, field) as readonly string[] | null | undefined;
  const much = given?.find((one) => !/^no-new-privileges(?:[:=]true)?$/.test(one));
  if (much !== undefined)
    throw refuse(`the security option "${show(much)}"`, 'it takes away what keeps a container in');
  return given?.map(() => 'no-new-privileges');
};

/** Kernel settings that belong to a container's own namespaces. */
const sysctls: Rule = (value, field) => {
  const given = textMap(value, field) as Fields | undefined;
  const much = Object.keys(given ?? {}).find((name) => !/^(?:net\.|kernel\.(?:msg|shm|sem)|fs\.mqueue\.)/.test(name));
  if (much !== undefined) throw refuse(`the kernel setting "${show(much)}"`, 'it is one of the whole machine');
  return given;
};

const atLeastZero: Rule = (value, field) => {
  const given = number(value, field) as number | undefined;
  if (given !== undefined && given < 0) throw refuse(`"${field}" below 0`, 'it takes from others');
  return given;
};

/** An empty list is not the same as none here: it uncovers parts of the machine. */
const hiddenPaths: Rule = (value, field) => {
  if (value !== undefined && value !== null) throw refuse(`"${field}"`, 'it uncovers files of the machine');
  return undefined;
};

const noLists = 'it names devices of the machine';

const ulimitRules = { Name: text, Soft: number, Hard: number };
const ulimits: Rule = (value, field) => {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw wrong(`${field} must be a list`);
  return value.map((one) => readFields(one, ulimitRules, field));
};

const restartPolicy: Rule = (value, field) => {
  const rules = { Name: oneOf('', 'no', 'on-failure', 'always', 'unless-stopped'), MaximumRetryCount: number };
  return readFields(value, rules, field);
};

const amounts = Object.fromEntries(
  'BlkioWeight CpuPeriod CpuQuota CpuShares Memory MemoryReservation MemorySwap MemorySwappiness NanoCpus PidsLimit ShmSize'
    .split(' ')
    .map((name) => [name, number]),
);

const ignored = Object.fromEntries(
  'Binds Mounts ConsoleSize ContainerIDFile LogConfig KernelMemory KernelMemoryTCP'
    .split(' ')
    .map((name) => [name, passedOver]),
);

/** `HostConfig` ("Create a container"). What stands in neither of these rules is refused where it says anything. */
function hostRules(world: ContainerWorld): Rules {
  return {
    ...amounts,
    ...ignored,
    AutoRemove: flag,
    BlkioWeightDevice: emptyBecause(noLists),
    CapAdd: addedRights,
    CapDrop: droppedToo,
    CgroupParent: toHost,
    CgroupnsMode: oneOf('', 'private'),
    CpusetCpus: text,
    CpusetMems: text,
    DeviceCgroupRules: emptyBecause(noLists),
    DeviceRequests: emptyBecause(noLists),
    Devices: emptyBecause(noLists),
    Dns: texts,
    DnsOptions: texts,
    DnsSearch: texts,
    ExtraHosts: texts,
    GroupAdd: texts,
    Init: flag,
    IpcMode: containerMode(world, oneOf('', 'none', 'private', 'shareable')),
    Isolation: oneOf('', 'default'),
    Links: links(world),
    MaskedPaths: hiddenPaths,
    NetworkMode: networkMode(world),
    OomKillDisable: toHost,
    OomScoreAdj: atLeastZero,
    PidMode: containerMode(world, oneOf('')),
    PortBindings: portBindings,
    Privileged: toHost,
    PublishAllPorts: emptyBecause('name the ports with -p'),
    ReadonlyPaths: hiddenPaths,
    ReadonlyRootfs: flag,
    RestartPolicy: restartPolicy,
    SecurityOpt: securityOptions,
    Sysctls: sysctls,
    Tmpfs: textMap,
    UTSMode: oneOf(''),
    Ulimits: ulimits,
    UsernsMode: oneOf(''),
    VolumeDriver: oneOf('', 'local'),
    VolumesFrom: volumesFrom(world),
  };
}

const configRules: Rules = {
  ArgsEscaped: flag,
  AttachStderr: flag,
  AttachStdin: flag,
  AttachStdout: flag,
  Cmd: words,
  Domainname: text,
  Entrypoint: words,
  Env: texts,
  ExposedPorts: keySet,
  Healthcheck: plainObject,
  HostConfig: passedOver,
  Hostname: text,
  Image: text,
  Labels: passedOver,
  MacAddress: text,
  NetworkDisabled: flag,
  NetworkingConfig: passedOver,
  OnBuild: texts,
  OpenStdin: flag,
  Shell: texts,
  StdinOnce: flag,
  StopSignal: text,
  StopTimeout: number,
  Tty: flag,
  User: text,
  Volumes: keySet,
  WorkingDir: text,
};

/**
 * Makes the body of `POST /containers/create` anew out of what a step sent: of harmless fields, with the run's labels, its limits, and
 * with names resolved to what is the run's. `name` is what the step calls the container.
 * @throws `forbidden` for what reaches beyond the run, `not-found` for objects that are not the run's, `invalid-request`.
 */
export function rewriteContainer(world: ContainerWorld, given: unknown, name: string | undefined): Fields {
  if (!isObject(given)) throw wrong('the body must be an object');
  const config = readFields(given, configRules, '');
  const host = readFields(given['HostConfig'], hostRules(world), 'HostConfig');
  const mode = host['NetworkMode'] ?? world.network('default').mode;
  const ends = readNetworking(world, given['NetworkingConfig'], mode, name);
  return {
    ...config,
    Labels: joinLabels(given['Labels'], world.labels),
    HostConfig: {
      ...capAmounts(host, world.limits),
      NetworkMode: mode,
      CapDrop: droppedToo(host['CapDrop'], 'CapDrop'),
      LogConfig: logging,
      Mounts: readMounts(world, given['HostConfig']),
    },
    ...(Object.keys(ends).length > 0 && { NetworkingConfig: { EndpointsConfig: ends } }),
  };
}
