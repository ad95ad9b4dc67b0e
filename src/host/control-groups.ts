import { existsSync } from 'node:fs';
import type { HostTools } from './tools.ts';

/** The version of control groups (cgroups(7)) that this host has mounted at the usual place, or undefined for none. */
export function findControlGroups(root = '/sys/fs/cgroup'): 1 | 2 | undefined {
  if (existsSync(`${root}/cgroup.controllers`)) return 2;
  return existsSync(`${root}/memory`) ? 1 : undefined;
}

/** Mounts control groups where nothing did (small virtual machines without systemd): no engine starts without them. */
export async function ensureControlGroups(tools: HostTools, root = '/sys/fs/cgroup'): Promise<void> {
  if (findControlGroups(root) !== undefined || !existsSync(root)) return;
  tools.say(`Mounting control groups at ${root} …`);
  await tools.commands.run('mount', ['-t', 'cgroup2', 'cgroup2', root]);
}
