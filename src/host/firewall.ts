import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Commands } from './commands.ts';

/**
 * How a private engine gets its packet filter: `system` as installed, `legacy` through the older kernel interface
 * (a directory to put before PATH), `none` when neither works: then containers reach no network but their own.
 */
export type Firewall =
  { readonly kind: 'system' } | { readonly kind: 'legacy'; readonly path: string } | { readonly kind: 'none' };

/** Finds out which packet filter this kernel takes, by listing a table of it. `directory` holds the links of `legacy`. */
export async function detectFirewall(commands: Commands, directory: string): Promise<Firewall> {
  const works = async (program: string): Promise<boolean> =>
    commands.find(program) !== undefined && (await commands.run(program, ['-w', '5', '-t', 'nat', '-S'])).code === 0;
  if (await works('iptables')) return { kind: 'system' };
  if (!(await works('iptables-legacy'))) return { kind: 'none' };
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of ['iptables', 'ip6tables']) {
    const legacy = commands.find(`${name}-legacy`);
    if (legacy !== undefined) symlinkSync(legacy, join(directory, name));
  }
  return { kind: 'legacy', path: directory };
}

const ownChain = /^DOCKER(?:-|$)/;

/**
 * The commands that take an engine's rules out of one table, from the table's listing (`iptables -S`): first rules
 * that jump to its chains or name its bridge, then the chains.
 */
export function planRuleRemoval(listing: string, bridge: string): readonly (readonly string[])[] {
  const lines = listing.split('\n').map((line) => line.trim().split(/\s+/));
  const chains = lines
    .filter(([flag, chain = '']) => flag === '-N' && ownChain.test(chain))
    .map(([, chain = '']) => chain);
  const rules = lines.filter(
    ([flag, chain = '', ...rest]) =>
      flag === '-A' && !chains.includes(chain) && rest.some((word) => chains.includes(word) || word === bridge),
  );
  return [
    ...rules.map(([, ...rest]) => ['-D', ...rest]),
    ...chains.map((chain) => ['-F', chain]),
    ...chains.map((chain) => ['-X', chain]),
  ];
}

/**
 * Removes the packet filter rules and the bridge that an engine leaves when it stops. Only for a host where no other
 * engine runs: the names of the rules are the same for all engines.
 */
export async function removeNetworkTraces(
  commands: Commands,
  programs: readonly string[],
  bridge: string,
): Promise<void> {
  for (const program of programs.filter((one) => commands.find(one) !== undefined)) {
    for (const table of ['nat', 'filter']) await removeRules(commands, { program, table, bridge });
  }
  await commands.run('ip', ['link', 'delete', bridge]);
}

async function removeRules(
  commands: Commands,
  { program, table, bridge }: { readonly program: string; readonly table: string; readonly bridge: string },
): Promise<void> {
  const listing = await commands.run(program, ['-w', '5', '-t', table, '-S']);
  if (listing.code !== 0) return;
  for (const args of planRuleRemoval(listing.stdout, bridge)) {
    await commands.run(program, ['-w', '5', '-t', table, ...args]);
  }
}
