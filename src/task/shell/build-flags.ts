/** What a flag of `docker build` is to us. */
export interface BuildFlag {
  /** Its long name, without dashes. */
  readonly name: string;
  readonly takesValue: boolean;
  /** True for a flag that changes nothing in the image, or that Slipway does by itself. */
  readonly isIgnored?: boolean;
  /** Why it is refused. */
  readonly refused?: string;
}

const noFile = 'it writes a file of the machine that builds';

const valued = [
  'add-host', 'allow', 'annotation', 'attest', 'build-arg', 'build-context', 'builder!', 'cache-from', 'cache-to', 'cgroup-parent!',
  'cpu-period', 'cpu-quota', 'c/cpu-shares', 'cpuset-cpus', 'cpuset-mems', 'f/file', 'isolation', 'label', 'm/memory', 'memory-swap',
  'network', 'no-cache-filter', 'platform', 'progress!', 'provenance', 'sbom', 'secret', 'security-opt', 'shm-size', 'ssh', 't/tag',
  'target', 'ulimit',
]; // prettier-ignore

const switches = [
  'compress!', 'disable-content-trust!', 'force-rm!', 'load!', 'no-cache', 'pull', 'q/quiet!', 'rm!', 'squash', 'D/debug!',
]; // prettier-ignore

const refused: Readonly<Record<string, string>> = {
  iidfile: noFile,
  'metadata-file': noFile,
  output: 'an image is built and kept on the engine; a step "push" sends it to a registry',
};

const flags = new Map<string, BuildFlag>();
for (const [list, takesValue] of [
  [valued, true],
  [switches, false],
] as const) {
  for (const word of list) {
    const isIgnored = word.endsWith('!');
    const [first = '', second] = word.replace(/!$/, '').split('/');
    const name = second ?? first;
    const flag = { name, takesValue, ...(isIgnored && { isIgnored }) };
    flags.set(`--${name}`, flag);
    if (second !== undefined) flags.set(`-${first}`, flag);
  }
}
for (const [name, why] of Object.entries(refused)) flags.set(`--${name}`, { name, takesValue: true, refused: why });
flags.set('-o', { name: 'output', takesValue: true, refused: refused['output'] ?? '' });
flags.set('--push', { name: 'push', takesValue: false, refused: 'a step "push" sends images to a registry' });

/** Every flag that is known, as it is written. */
export const buildFlagNames: readonly string[] = [...flags.keys()].filter((name) => name.startsWith('--'));

/** A flag by `--name` or `-x`. */
export function findBuildFlag(name: string): BuildFlag | undefined {
  return flags.get(name);
}
