import { withHostLock } from './lock.ts';
import {
  findBackground,
  listBackground,
  startBackground,
  stopBackground,
  type BackgroundProcess,
} from './background.ts';

/** Slipway's own processes, in the order in which they start; they stop in the reverse order, API last. */
export const roles = ['api', 'trigger-worker', 'run-worker'] as const;

/** One of Slipway's own processes. */
export type Role = (typeof roles)[number];

/** How one of Slipway's processes starts. */
export interface RoleCommand {
  readonly role: Role;
  /** Absolute path of the compiled composition root. */
  readonly script: string;
  readonly args?: readonly string[];
  /** The whole environment of the process; undefined: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** One of Slipway's processes as it runs; `isNew` when this call started it. */
export interface RoleProcess extends BackgroundProcess {
  readonly role: Role;
  readonly isNew: boolean;
}

/** Starts those of the processes that do not run yet, in the order of {@link roles}. */
export function startProcesses(dataDir: string, commands: readonly RoleCommand[]): Promise<readonly RoleProcess[]> {
  return withHostLock(dataDir, async () => {
    const ordered = roles.flatMap((role) => commands.filter((command) => command.role === role));
    const started: RoleProcess[] = [];
    for (const command of ordered) started.push(await startProcess(dataDir, command));
    return started;
  });
}

async function startProcess(dataDir: string, command: RoleCommand): Promise<RoleProcess> {
  const { role, script, args = [], environment } = command;
  const running = findBackground(dataDir, role);
  if (running !== undefined) return { ...running, role, isNew: false };
  const base = environment === undefined ? {} : { environment };
  const node = process.execPath;
  const made = await startBackground(dataDir, { name: role, program: node, args: [script, ...args], ...base });
  return { ...made, role, isNew: true };
}

/** Those of Slipway's own processes that run. */
export function listProcesses(dataDir: string): readonly RoleProcess[] {
  const running = listBackground(dataDir);
  return roles.flatMap((role) => {
    const found = running.find(({ name }) => name === role);
    return found === undefined ? [] : [{ ...found, role, isNew: false }];
  });
}

/**
 * Stops Slipway's own processes, workers first so that they can still say what became of their runs: SIGTERM, then
 * SIGKILL after `graceMs` each.
 * @returns the roles that ran.
 */
export function stopProcesses(dataDir: string, graceMs = 15_000): Promise<readonly Role[]> {
  return withHostLock(dataDir, async () => {
    const stopped: Role[] = [];
    for (const role of roles.toReversed()) {
      if (await stopBackground(dataDir, role, graceMs)) stopped.push(role);
    }
    return stopped;
  });
}
