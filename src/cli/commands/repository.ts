import type { Command } from 'commander';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { AttributesView, ManifestView, RepositoryView, TagDocument } from '../repository-client.ts';
import {
  addListFlags,
  addTarget,
  findTarget,
  readOrder,
  readRepository,
  type ListFlags,
  type TargetFlags,
} from '../repository-target.ts';
import { formatAge, formatBytes, formatTable } from '../words.ts';
import { addRepositoryChanges } from './repository-change.ts';

const examples = `
Examples:
  slipway repository list
  slipway repository tags team/app --orderby time_desc --top 10
  slipway repository manifests team/app --detail
  slipway repository show team/app:v1
  slipway repository update --image team/app:v1 --write-enabled false      nobody moves or deletes this tag any more
  slipway repository untag team/app:v1                                     the tag goes, the image stays
  slipway repository delete --image team/app:v1                            the image goes, with all its tags
  slipway repository delete --repository team/app --yes`;

async function list({ screen, client }: Cli, flags: ListFlags): Promise<ExitCode> {
  const names = await (await client()).repositories(readOrder(flags));
  await screen.result(names);
  if (!screen.json) for (const name of names) await screen.print(name);
  return 0;
}

/** What is forbidden, in words; empty where nothing is. */
function locksOf(attributes: AttributesView): string {
  const locked = Object.entries(attributes).filter(([name, value]) => name.endsWith('Enabled') && value === false);
  return locked.length === 0 ? '' : `locked: ${locked.map(([name]) => `no ${name.replace('Enabled', '')}`).join(', ')}`;
}

function ageOf({ io }: Cli, time: string): string {
  return formatAge(Date.parse(time), io.clock.now());
}

async function printTable({ screen }: Cli, rows: readonly (readonly string[])[]): Promise<void> {
  for (const line of formatTable(rows)) await screen.print(line);
}

async function tags(cli: Cli, name: string, flags: ListFlags): Promise<ExitCode> {
  const found = await (await cli.client()).tags(readRepository(name), readOrder(flags));
  await cli.screen.result(flags.detail === true ? found : found.map((tag) => tag.name));
  if (cli.screen.json) return 0;
  if (flags.detail !== true) for (const tag of found) await cli.screen.print(tag.name);
  else
    await printTable(
      cli,
      found.map((tag) => rowOfTag(cli, tag)),
    );
  return 0;
}

interface Pulled {
  readonly lastPulledTime?: string;
}

/** When something was pulled last, in words. */
function pulledAge(cli: Cli, { lastPulledTime }: Pulled): string {
  return lastPulledTime === undefined ? 'no pull noted' : ageOf(cli, lastPulledTime);
}

function pullOf(cli: Cli, one: Pulled): string {
  return `${one.lastPulledTime === undefined ? '' : 'pulled '}${pulledAge(cli, one)}`;
}

function rowOfTag(cli: Cli, tag: TagDocument): string[] {
  const { name, digest, lastUpdateTime, signed } = tag;
  const [set, pulled] = [ageOf(cli, lastUpdateTime), pullOf(cli, tag)];
  return [name, digest, set, pulled, signed ? 'signed' : '', locksOfTag(tag)];
}

/** What keeps a tag, in words; empty where nothing does. */
function locksOfTag({ writeOnce, changeableAttributes }: TagDocument): string {
  const words = [locksOf(changeableAttributes), writeOnce === true ? 'write-once' : ''];
  return words.filter((word) => word !== '').join(', ');
}

async function manifests(cli: Cli, name: string, flags: ListFlags): Promise<ExitCode> {
  const found = await (await cli.client()).manifests(readRepository(name), readOrder(flags));
  await cli.screen.result(found);
  if (!cli.screen.json)
    await printTable(
      cli,
      found.map((one) => [...rowOfManifest(cli, one), ...(flags.detail ? moreOf(cli, one) : [])]),
    );
  return 0;
}

function rowOfManifest(cli: Cli, one: ManifestView): string[] {
  return [one.digest, formatBytes(one.imageSize), platformOf(one), ageOf(cli, one.lastUpdateTime), one.tags.join(', ')];
}

function moreOf(cli: Cli, one: ManifestView): string[] {
  return [pullOf(cli, one), one.mediaType, locksOf(one.changeableAttributes)];
}

async function show(cli: Cli, reference: string | undefined, flags: TargetFlags): Promise<ExitCode> {
  const { repository, tag, digest } = findTarget(reference, flags);
  const client = await cli.client();
  if (tag === undefined && digest === undefined) return showRepository(cli, await client.repository(repository));
  if (tag === undefined) return showImage(cli, repository, await client.manifest(repository, digest ?? ''));
  const shown = await client.tag(repository, tag);
  return showImage(cli, repository, await client.manifest(repository, shown.digest), shown);
}

async function showImage(cli: Cli, repository: string, manifest: ManifestView, tag?: TagDocument): Promise<ExitCode> {
  await cli.screen.result(tag === undefined ? manifest : { ...tag, manifest });
  const name = tag === undefined ? `${repository}@${manifest.digest}` : `${repository}:${tag.name}`;
  const rows = [['image', name], ...(tag === undefined ? [] : rowsOfShownTag(cli, tag))];
  if (!cli.screen.json) await printTable(cli, [...rows, ...rowsOfShownManifest(cli, manifest)]);
  return 0;
}

function platformOf({ os, architecture }: ManifestView): string {
  return [os, architecture].filter((part) => part !== undefined).join('/');
}

function rowsOfShownManifest(cli: Cli, manifest: ManifestView): string[][] {
  return [
    ['digest', manifest.digest],
    ['tags', manifest.tags.join(', ')],
    ['size', formatBytes(manifest.imageSize)],
    ['platform', platformOf(manifest)],
    ['type', manifest.mediaType],
    ['pushed', ageOf(cli, manifest.lastUpdateTime)],
    ['pulled', pulledAge(cli, manifest)],
    ['manifest', locksOf(manifest.changeableAttributes) || 'not locked'],
  ];
}

function rowsOfShownTag(cli: Cli, tag: TagDocument): string[][] {
  const lock = locksOfTag(tag) || 'not locked';
  const set = `set ${ageOf(cli, tag.lastUpdateTime)}`;
  return [['tag', [set, pullOf(cli, tag), ...(tag.signed ? ['signed'] : []), lock].join(', ')]];
}

async function showRepository(cli: Cli, view: RepositoryView): Promise<ExitCode> {
  await cli.screen.result(view);
  if (!cli.screen.json)
    await printTable(cli, [
      ['repository', view.imageName],
      ['manifests', String(view.manifestCount)],
      ['tags', String(view.tagCount)],
      ['made', ageOf(cli, view.createdTime)],
      ['changed', ageOf(cli, view.lastUpdateTime)],
      ['pulled', pulledAge(cli, view)],
      ['locks', locksOf(view.changeableAttributes) || 'not locked'],
    ]);
  return 0;
}

/** Adds `slipway repository …`. */
export function addRepository(program: Command, start: Start): void {
  const repository = program
    .command('repository')
    .summary('look after what is in the registry')
    .description('Repositories of the registry with their tags and manifests: lists, locks, deletes.')
    .addHelpText('after', examples);
  repository
    .command('list')
    .description('Lists repositories.')
    .option('--top <count>', 'at most so many')
    .action((flags: ListFlags, command: Command) => start(command, (cli) => list(cli, flags)));
  const ofName = [
    ['tags', 'Lists the tags of a repository.', tags],
    ['manifests', 'Lists the manifests of a repository, those without a tag among them.', manifests],
  ] as const;
  for (const [verb, description, work] of ofName)
    addListFlags(repository.command(verb).description(description).argument('<name>', 'the repository')).action(
      (name: string, flags: ListFlags, command: Command) => start(command, (cli) => work(cli, name, flags)),
    );
  addTarget(
    repository.command('show').description('Shows a repository, or an image by its tag or digest.'),
    'NAME, NAME:TAG or NAME@DIGEST',
  ).action((reference: string | undefined, flags: TargetFlags, command: Command) =>
    start(command, (cli) => show(cli, reference, flags)),
  );
  addRepositoryChanges(repository, start);
}
