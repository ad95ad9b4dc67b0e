import type { Command } from 'commander';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { KeyDesk, KeyState, RotationWish } from '../local-host.ts';

const examples = `
Examples:
  slipway key show                  which keys there are, and what is sealed with them
  slipway key rotate                a new key; everything is sealed anew, the old key still opens
  slipway key rotate --finish       drop the old key, once the runs that began with it are over

Called on the machine of the API, as the user that it runs as. Processes that share the data directory go on, and use the new key at once;
see docs/operations.md for those that have the key by SLIPWAY_KEY or in a copy of the file.`;

interface RotateFlags {
  readonly finish?: true;
  readonly leaveDamaged?: true;
  readonly force?: true;
}

function count(values: number): string {
  return `${values} ${values === 1 ? 'value is' : 'values are'}`;
}

async function withKeys(cli: Cli, work: (keys: KeyDesk) => Promise<KeyState>): Promise<KeyState> {
  const keys = await (await cli.host()).openKeys(cli.config());
  try {
    return await work(keys);
  } finally {
    await keys.close();
  }
}

async function show(cli: Cli): Promise<ExitCode> {
  const state = await withKeys(cli, (keys) => keys.inspect());
  await cli.screen.result(state);
  if (cli.screen.json) return 0;
  const [first = '', ...older] = state.keys;
  const from = state.source === 'file' ? 'the key file' : 'SLIPWAY_KEY';
  const { current, old, damaged } = state.sealed;
  await cli.screen.print(`Key ${first} of ${from} seals; ${count(current)} sealed with it.`);
  for (const id of older) await cli.screen.print(`Key ${id} still opens.`);
  if (old > 0) await cli.screen.print(`${count(old)} sealed with older keys: slipway key rotate seals them anew.`);
  for (const name of damaged) await cli.screen.print(`No key opens: ${name}`);
  return 0;
}

async function rotate(cli: Cli, flags: RotateFlags): Promise<ExitCode> {
  const wish: RotationWish = { leaveDamaged: flags.leaveDamaged === true, force: flags.force === true };
  const say = (line: string): void => cli.screen.note(line);
  const state = await withKeys(cli, (keys) =>
    flags.finish === true ? keys.finish(wish, say) : keys.rotate(wish, say),
  );
  await cli.screen.result(state);
  if (cli.screen.json) return 0;
  const [first = '', ...older] = state.keys;
  await cli.screen.print(
    `Key ${first} seals: ${count(state.sealed.current)} sealed with it, ${state.sealed.old} of them anew.`,
  );
  if (older.length === 0) await cli.screen.print('There is no other key.');
  else if (state.source === 'file')
    await cli.screen.print('The older key still opens, for runs at work. To drop it: slipway key rotate --finish');
  return 0;
}

/** Adds `slipway key …`. */
export function addKey(program: Command, start: Start): void {
  const key = program
    .command('key')
    .summary('change the key that secrets are sealed with')
    .description('Shows and changes the key that seals the secrets of the installation on this machine.')
    .addHelpText('after', examples);
  key
    .command('show')
    .description('Shows the short names of the keys, and how much is sealed with them.')
    .action((_flags: unknown, command: Command) => start(command, show));
  key
    .command('rotate')
    .description(
      'Makes a new key and seals every secret anew with it. Interrupted, it goes on when it is called again.',
    )
    .option('--finish', 'drop the older keys, after sealing anew what they still have sealed')
    .option('--leave-damaged', 'pass over what no key opens; it stays as it is')
    .option('--force', 'with --finish: drop them although runs at work began with them')
    .action((flags: RotateFlags, command: Command) => start(command, (cli) => rotate(cli, flags)));
}
