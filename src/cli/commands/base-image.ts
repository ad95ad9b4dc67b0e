import type { Command } from 'commander';
import { fail } from '../../domain/failure.ts';
import { formatImageIdentity, identifyImage, parseImageReference } from '../../domain/image-reference.ts';
import { count, drawImpact, formatImpact } from '../base-image-impact.ts';
import { formatName, formatStanding, shortDigest } from '../base-image-view.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { addBaseImageCredential } from './base-image-credential.ts';

const examples = `
Examples:
  slipway base-image list                              which images stand on which, and whether that is the newest
  slipway base-image list --stale
  slipway base-image list --image docker.io/library/node:20
  slipway base-image impact 127.0.0.1:5080/base:v1     what a change would rebuild, in what order, about how long
  slipway base-image impact node:20 --mermaid > impact.mmd
  slipway base-image notify node:20                    look at it now, for a registry that tells nothing
  slipway base-image notify ghcr.io/acme/base:v1@sha256:…
  slipway base-image credential set ghcr.io --username bot --password-file token

IMAGE is written as in FROM: a name without a registry is Docker Hub's. What comes of a change: slipway campaign list`;

interface ListFlags {
  readonly image?: string;
  readonly stale?: boolean;
}

interface ImpactFlags {
  readonly mermaid?: true;
}

/** An image's name as it was given, checked. Throws `invalid-request` with `field`. */
function checkImage(text: string, field: string): string {
  parseImageReference(text, field);
  return text;
}

/** Said where nothing is listed: a name without a tag, or without a registry, may have meant another image. */
async function noteNothing(cli: Cli, { image, stale = false }: ListFlags): Promise<void> {
  const { screen } = cli;
  if (stale) screen.note('No image is known to be behind its base.');
  else if (image === undefined) screen.note('There are no such images.');
  else screen.note(`Nothing stands on ${formatImageIdentity(identifyImage(parseImageReference(image)))}.`);
  if (image !== undefined) await noteRegistry(cli, image);
}

async function list(cli: Cli, flags: ListFlags): Promise<ExitCode> {
  const { screen, client, io } = cli;
  const { image, stale = false } = flags;
  const wanted = image === undefined ? {} : { image: checkImage(image, '--image') };
  const all = await (await client()).baseImages({ ...wanted, isStale: stale });
  await screen.result(all);
  if (screen.json) return 0;
  if (all.length === 0) await noteNothing(cli, flags);
  else for (const line of formatStanding(all, screen.colors, io.clock.now())) await screen.print(line);
  return 0;
}

/** People who build with short names may mean the registry in the box, where FROM means Docker Hub. */
async function noteRegistry({ screen, client }: Cli, text: string): Promise<void> {
  if (parseImageReference(text).registry !== undefined) return;
  const { loginServer } = await (await client()).registry();
  screen.note(`Without a registry, a name is Docker Hub's. In the registry in the box it is ${loginServer}/${text}`);
}

async function impact(cli: Cli, text: string, { mermaid }: ImpactFlags): Promise<ExitCode> {
  const { screen } = cli;
  checkImage(text, 'image');
  if (mermaid && screen.json)
    throw fail('invalid-request', '--mermaid and --json do not go together', { field: '--mermaid' });
  const found = await (await cli.client()).impact(text);
  await screen.result(found);
  if (screen.json) return 0;
  for (const line of mermaid ? drawImpact(found) : formatImpact(found, screen.colors)) await screen.print(line);
  if (found.tasks.length + found.notRebuilt.length === 0) await noteRegistry(cli, text);
  return 0;
}

async function notify({ screen, client }: Cli, text: string): Promise<ExitCode> {
  const taken = await (await client()).notifyBaseImage(checkImage(text, 'image'));
  await screen.result(taken);
  if (screen.json) return 0;
  const { image, tasks } = taken;
  const digest = image.digest === undefined ? 'what its registry says' : shortDigest(image.digest);
  await screen.print(`${formatName(image)} will be compared with ${digest}.`);
  await screen.print(
    tasks === 0
      ? 'No task would be rebuilt for it.'
      : `If it has changed, ${count(tasks, 'task')} will be rebuilt: slipway campaign list`,
  );
  return 0;
}

/** Adds `slipway base-image …`. */
export function addBaseImage(program: Command, start: Start): void {
  const baseImage = program
    .command('base-image')
    .summary('what stands on which base, and what a change would rebuild')
    .description('Shows what images are built on, previews what a new base would rebuild, and tells of new bases.')
    .addHelpText('after', examples);
  baseImage
    .command('list')
    .description('Lists each image of a task and each image that it stands on, with the digest that it was built on.')
    .option('--image <image>', 'only what stands on this one; with @digest, only what is built on that')
    .option('--stale', 'only what is known to be built on an older one')
    .action((flags: ListFlags, command: Command) => start(command, (cli) => list(cli, flags)));
  baseImage
    .command('impact')
    .description('Shows what a change of an image would rebuild. Times are those of earlier runs; nothing is started.')
    .argument('<image>', 'name:tag, or name:tag@digest: without what is built on that already')
    .option('--mermaid', 'as a drawing for Mermaid')
    .action((image: string, flags: ImpactFlags, command: Command) =>
      start(command, (cli) => impact(cli, image, flags)),
    );
  baseImage
    .command('notify')
    .description('Has it looked at whether an image has changed; if so, all that stands on it is rebuilt.')
    .argument('<image>', 'name:tag, or name:tag@digest; without a digest its registry is asked')
    .action((image: string, _flags: unknown, command: Command) => start(command, (cli) => notify(cli, image)));
  addBaseImageCredential(baseImage, start);
}
