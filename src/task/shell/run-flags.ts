/** What a flag of `docker run` is to us. */
export interface RunFlag {
  /** Its long name, without dashes. */
  readonly name: string;
  readonly takesValue: boolean;
  /** Why it is refused; undefined for a flag that is honoured or that changes nothing here. */
  readonly refused?: string;
  /** True for a flag that changes nothing here. */
  readonly isIgnored?: boolean;
}

const host = 'it would reach into the machine that runs the containers';
const files = 'it reads a file of the machine that runs the containers';

const valued = [
  'a/attach!', 'add-host', 'annotation!', 'blkio-weight!', 'cap-drop', 'c/cpu-shares', 'cpu-period', 'cpu-quota', 'cpus', 'cpuset-cpus',
  'cpuset-mems', 'detach-keys!', 'dns', 'dns-opt', 'dns-option', 'dns-search', 'domainname', 'entrypoint', 'e/env', 'expose', 'group-add',
  'health-cmd', 'health-interval', 'health-retries', 'health-start-period', 'health-timeout', 'h/hostname', 'ip', 'ip6', 'isolation',
  'l/label', 'log-driver!', 'log-opt!', 'mac-address', 'm/memory', 'memory-reservation', 'memory-swap', 'memory-swappiness', 'name', 'net',
  'network', 'net-alias', 'network-alias', 'oom-score-adj', 'pids-limit', 'platform', 'p/publish', 'pull', 'restart', 'shm-size',
  'stop-signal', 'stop-timeout', 'tmpfs', 'ulimit', 'u/user', 'v/volume', 'mount', 'w/workdir', 'security-opt', 'sysctl',
]; // prettier-ignore

const switches = [
  'd/detach', 'disable-content-trust!', 'help!', 'init', 'i/interactive', 'no-healthcheck', 'oom-kill-disable', 'privileged',
  'P/publish-all', 'q/quiet!', 'read-only', 'rm', 'sig-proxy!', 't/tty',
]; // prettier-ignore

const refused: Readonly<Record<string, string>> = {
  'blkio-weight-device': host,
  'cap-add': 'steps run without extra rights',
  'cgroup-parent': host,
  cgroupns: host,
  cidfile: 'it writes a file of the machine that runs the containers',
  device: host,
  'device-cgroup-rule': host,
  'device-read-bps': host,
  'device-read-iops': host,
  'device-write-bps': host,
  'device-write-iops': host,
  'env-file': files,
  gpus: host,
  ipc: 'steps have an IPC namespace of their own',
  'label-file': files,
  link: 'steps of a run see each other by their ids',
  'link-local-ip': host,
  pid: 'steps have a process namespace of their own',
  runtime: host,
  'storage-opt': host,
  userns: host,
  uts: host,
  'volume-driver': host,
  'volumes-from': 'steps share the workspace, and the volumes that the task declares',
};

function readName(word: string): { readonly short?: string; readonly name: string; readonly isIgnored: boolean } {
  const isIgnored = word.endsWith('!');
  const [first = '', second] = word.replace(/!$/, '').split('/');
  return second === undefined ? { name: first, isIgnored } : { short: first, name: second, isIgnored };
}

const flags = new Map<string, RunFlag>();
for (const [list, takesValue] of [
  [valued, true],
  [switches, false],
] as const) {
  for (const word of list) {
    const { short, name, isIgnored } = readName(word);
    const flag = { name, takesValue, ...(isIgnored && { isIgnored }) };
    flags.set(`--${name}`, flag);
    if (short !== undefined) flags.set(`-${short}`, flag);
  }
}
for (const [name, why] of Object.entries(refused)) flags.set(`--${name}`, { name, takesValue: true, refused: why });

/** Every flag that is known, as it is written. */
export const runFlagNames: readonly string[] = [...flags.keys()].filter((name) => name.startsWith('--'));

/** A flag by `--name` or `-x`. */
export function findRunFlag(name: string): RunFlag | undefined {
  return flags.get(name);
}
