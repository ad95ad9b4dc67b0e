import { Option, type Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import type { ApiClient } from '../api-types.ts';
import type { Cli, Start } from '../cli.ts';
import { confirm } from '../confirm.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { AttributesView, RegistryTarget } from '../repository-client.ts';
import { addTarget, findTarget, formatTarget, type TargetFlags } from '../repository-target.ts';

const attributeNames = ['deleteEnabled', 'writeEnabled', 'readEnabled', 'listEnabled'] as const;

type UpdateFlags = TargetFlags & Partial<Record<keyof AttributesView, 'true' | 'false'>>;

interface DeleteFlags extends TargetFlags {
  readonly yes?: true;
}

/** The attributes that the flags name. Throws `invalid-request` where they name none. */
function readAttributes(flags: UpdateFlags): Partial<AttributesView> {
  const given = attributeNames.flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [[name, value === 'true'] as const];
  });
  if (given.length > 0) return Object.fromEntries(given);
  throw fail('invalid-request', 'nothing is to be changed', {
    hint: 'give --write-enabled, --delete-enabled, --read-enabled or --list-enabled',
  });
}

async function update({ screen, client }: Cli, reference: string | undefined, flags: UpdateFlags): Promise<ExitCode> {
  const target = findTarget(reference, flags);
  const attributes = readAttributes(flags);
  const changed = await (await client()).updateAttributes(target, attributes);
  await screen.result(changed);
  const words = Object.entries(attributes).map(([name, value]) => `${name} is ${String(value)}`);
  if (!screen.json) await screen.print(`${formatTarget(target)}: ${words.join(', ')}.`);
  return 0;
}

async function untag({ screen, client }: Cli, reference: string | undefined, flags: TargetFlags): Promise<ExitCode> {
  const { repository, tag } = findTarget(reference, flags);
  if (tag === undefined) throw fail('invalid-request', 'a tag is missing: NAME:TAG', { field: '--image' });
  const calls = await client();
  const { digest } = await calls.tag(repository, tag);
  await calls.untag(repository, tag);
  await screen.result({ repository, tag, digest });
  if (!screen.json) await screen.print(`${repository}:${tag} is gone; the image stays as ${repository}@${digest}.`);
  return 0;
}

async function mayGo(cli: Cli, { yes }: DeleteFlags, question: string): Promise<boolean> {
  if (yes === true || (await confirm(cli.io, question))) return true;
  cli.screen.note('Nothing was deleted.');
  return false;
}

function count(number: number, word: string): string {
  return `${String(number)} ${word}${number === 1 ? '' : 's'}`;
}

async function deleteRepository(cli: Cli, calls: ApiClient, name: string, flags: DeleteFlags): Promise<ExitCode> {
  const { manifestCount, tagCount } = await calls.repository(name);
  const what = `${count(manifestCount, 'manifest')} and ${count(tagCount, 'tag')}`;
  if (!(await mayGo(cli, flags, `Delete the repository ${name} with ${what}?`))) return 1;
  const deleted = await calls.deleteRepository(name);
  await cli.screen.result(deleted);
  const gone = `${count(deleted.manifestsDeleted.length, 'manifest')} and ${count(deleted.tagsDeleted.length, 'tag')}`;
  if (!cli.screen.json) await cli.screen.print(`The repository ${name} is deleted, with ${gone}.`);
  return 0;
}

/** Whatever names it, a manifest goes with all the tags that stand for it: people are told which before. */
async function deleteImage(cli: Cli, calls: ApiClient, target: RegistryTarget, flags: DeleteFlags): Promise<ExitCode> {
  const { repository, tag } = target;
  const digest = target.digest ?? (await calls.tag(repository, tag ?? '')).digest;
  const { tags } = await calls.manifest(repository, digest);
  const others = tags.length === 0 ? 'It has no tags' : `These tags go with it: ${tags.join(', ')}`;
  if (!(await mayGo(cli, flags, `${others}. Delete ${repository}@${digest}?`))) return 1;
  await calls.deleteManifest(repository, digest);
  await cli.screen.result({ repository, digest, tagsDeleted: tags });
  const gone = tags.length === 0 ? '' : `, and with it ${tags.join(', ')}`;
  if (!cli.screen.json) await cli.screen.print(`${repository}@${digest} is deleted${gone}.`);
  return 0;
}

async function remove(cli: Cli, reference: string | undefined, flags: DeleteFlags): Promise<ExitCode> {
  const target = findTarget(reference, flags);
  const isWhole = target.tag === undefined && target.digest === undefined;
  // A repository is never deleted by an image name whose tag was left out.
  if (isWhole && flags.repository === undefined)
    throw fail('invalid-request', `"${target.repository}" names no image`, {
      field: 'reference',
      hint: `for the whole repository: --repository ${target.repository}`,
    });
  const calls = await cli.client();
  return isWhole ? deleteRepository(cli, calls, target.repository, flags) : deleteImage(cli, calls, target, flags);
}

/** Adds the commands that change what is in the registry. */
export function addRepositoryChanges(repository: Command, start: Start): void {
  const updating = addTarget(
    repository.command('update').description('Locks a repository, a tag or a manifest, and lifts locks.'),
    'NAME, NAME:TAG or NAME@DIGEST',
  );
  const forbids = ['deleting', 'pushing, moving and deleting', 'pulling', 'showing in lists'];
  for (const [at, name] of attributeNames.entries())
    updating.addOption(
      new Option(`--${name.replace('Enabled', '-enabled')} <value>`, `false forbids ${forbids[at] ?? ''}`).choices([
        'true',
        'false',
      ]),
    );
  updating.action((reference: string | undefined, flags: UpdateFlags, command: Command) =>
    start(command, (cli) => update(cli, reference, flags)),
  );
  addTarget(
    repository.command('untag').description('Takes a tag away. The image stays, by its digest and its other tags.'),
    'NAME:TAG',
  ).action((reference: string | undefined, flags: TargetFlags, command: Command) =>
    start(command, (cli) => untag(cli, reference, flags)),
  );
  addTarget(
    repository
      .command('delete')
      .description('Deletes an image with all its tags, also when one of them names it; or a whole repository.'),
    'NAME:TAG or NAME@DIGEST',
  )
    .option('-y, --yes', 'do not ask')
    .action((reference: string | undefined, flags: DeleteFlags, command: Command) =>
      start(command, (cli) => remove(cli, reference, flags)),
    );
}
