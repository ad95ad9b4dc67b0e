import { fail, type FailureReason } from '../domain/failure.ts';
import type { HostTools } from './tools.ts';

/** A program that the host lacks, and what brings it. */
export interface MissingProgram {
  readonly program: string;
  /** Debian packages. */
  readonly packages: readonly string[];
  /** What else would do: ends the sentence "… , or". */
  readonly otherwise: string;
  /** Reason of the failure when it cannot be installed. */
  readonly reason: FailureReason;
}

/**
 * Makes sure that the host has a program: installs its Debian packages when this is root and `install` is true, saying so.
 * @returns the program's absolute path.
 * @throws with the exact command to type when it is missing and may not or could not be installed.
 */
export async function ensureProgram(tools: HostTools, wanted: MissingProgram, install: boolean): Promise<string> {
  const { commands, isRoot, say } = tools;
  const present = commands.find(wanted.program);
  if (present !== undefined) return present;
  const command = `apt-get install -y --no-install-recommends ${wanted.packages.join(' ')}`;
  const hint = `On Debian or Ubuntu: sudo apt-get update && sudo ${command}. Or ${wanted.otherwise}.`;
  const message = `${wanted.program} is not installed`;
  if (!install || !isRoot || commands.find('apt-get') === undefined) throw fail(wanted.reason, message, { hint });
  say(`Installing the Debian packages ${wanted.packages.join(', ')} (${wanted.program} is missing) …`);
  const fault = await installPackages(tools, wanted.packages);
  const installed = commands.find(wanted.program);
  if (installed !== undefined) return installed;
  throw fail(wanted.reason, `${message}, and installing it failed${fault}`, { hint });
}

/** Installs Debian packages; gives what went wrong as the end of a sentence, empty when nothing did. */
export async function installPackages({ commands }: HostTools, packages: readonly string[]): Promise<string> {
  const apt = ['DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=120'];
  const timeoutMs = 10 * 60_000;
  // An update that fails for one of several sources still leaves lists that may be good enough.
  const update = await commands.run('env', [...apt, 'update'], { timeoutMs });
  const install = await commands.run('env', [...apt, 'install', '-y', '--no-install-recommends', ...packages], {
    timeoutMs,
  });
  if (install.code === 0) return '';
  const lines = `${update.code === 0 ? '' : update.stderr}\n${install.stderr}`.trim().split('\n');
  return `: ${lines.slice(-3).join(' / ')}`;
}
