import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, failureReasons } from '../../domain/failure.ts';
import { parseImageReference } from '../../domain/image-reference.ts';
import type { ImportProgress } from '../../domain/registry-import.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { ImportView } from '../import-client.ts';
import { createProgressLine } from '../progress.ts';
import { readSecretInput } from '../secret-input.ts';
import { formatBytes } from '../words.ts';

const examples = `
Examples:
  slipway registry import docker.io/library/alpine:3.20 --image base/alpine:3.20
  slipway registry import ghcr.io/team/app:v1 --image team/app:v1 --image team/app:latest --force
  printf %s "$PAT" | slipway registry import ghcr.io/team/app:v1 --username me --password-stdin
  slipway registry import quay.io/team/app:v1 --platform linux/amd64 --no-referrers
  slipway registry import team/app:v1 --image prod/app:v1        from one repository here to another: no bytes are copied

The image arrives with its digest: an index with all its platforms, and with the signatures, SBOMs and attestations about them.
An import that broke off is gone on with by asking for it again. Registries on private addresses need SLIPWAY_EGRESS_ALLOW.`;

interface Flags {
  readonly image?: readonly string[];
  readonly repository?: readonly string[];
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly force?: boolean;
  readonly platform?: readonly string[];
  /** False with --no-referrers. */
  readonly referrers: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

const lookEveryMs = 400;

async function readCredentials(cli: Cli, { username, passwordStdin }: Flags): Promise<object | undefined> {
  if (username === undefined && passwordStdin !== true) return undefined;
  if (passwordStdin !== true)
    throw fail('invalid-request', '--username needs a password', {
      field: '--username',
      hint: 'give --password-stdin',
    });
  const input = { what: 'the password', flag: '--password-stdin', given: '-', file: undefined };
  return { ...(username !== undefined && { username }), password: await readSecretInput(cli, input) };
}

async function readBody(cli: Cli, text: string, flags: Flags): Promise<object> {
  const { registry } = parseImageReference(text, 'SOURCE');
  const credentials = await readCredentials(cli, flags);
  return {
    source: {
      ...(registry !== undefined && { registryUri: registry }),
      sourceImage: registry === undefined ? text : text.slice(text.indexOf('/') + 1),
      ...(credentials && { credentials }),
    },
    ...(flags.image && { targetTags: flags.image }),
    ...(flags.repository && { untaggedTargetRepositories: flags.repository }),
    mode: flags.force === true ? 'Force' : 'NoForce',
    ...(flags.platform && { platforms: flags.platform }),
    referrers: flags.referrers,
  };
}

function describeProgress({ blobs, knownBlobs, bytes, knownBytes }: ImportProgress): string {
  const part = knownBytes > 0 ? `${formatBytes(bytes)} of ${formatBytes(knownBytes)}` : formatBytes(bytes);
  return `Importing: ${String(blobs)} of ${String(knownBlobs)} blobs, ${part}`;
}

async function follow(cli: Cli, begun: ImportView): Promise<ImportView> {
  const client = await cli.client();
  const line = createProgressLine(cli.io.stderr, () => performance.now());
  try {
    let view = begun;
    while (view.status === 'InProgress') {
      line.update(describeProgress(view.properties.progress));
      await sleep(lookEveryMs);
      view = await client.import(view.name);
    }
    return view;
  } finally {
    line.clear();
  }
}

async function run(cli: Cli, source: string, flags: Flags): Promise<ExitCode> {
  const { screen } = cli;
  const client = await cli.client();
  const begun = await client.importImage(await readBody(cli, source, flags));
  const view = flags.wait ? await follow(cli, begun) : begun;
  await screen.result(view);
  if (screen.json) return view.status === 'Failed' ? 1 : 0;
  if (view.status === 'Failed') throw failureOf(view);
  if (view.status === 'Succeeded') await printDone(cli, view);
  else await screen.print(`Import ${view.name} of ${view.properties.source} has begun.`);
  return 0;
}

function failureOf({ error, properties }: ImportView): Error {
  const { code, message = 'the import failed', hint } = error ?? {};
  const reason = failureReasons.find((each) => each === code) ?? 'internal';
  return fail(reason, `${properties.source}: ${message}`, hint === undefined ? {} : { hint });
}

async function printDone({ screen }: Cli, { properties }: ImportView): Promise<void> {
  const { source, targets, digest = '', progress } = properties;
  for (const target of targets) await screen.print(`${target}  ${digest}`);
  screen.note(`Imported ${source}: ${String(progress.manifests)} manifests, ${formatBytes(progress.bytes)} fetched.`);
}

/** Adds `slipway registry import`. */
export function addRegistryImport(registry: Command, start: Start): void {
  registry
    .command('import')
    .summary('copy an image of another registry, or of another repository, into this one')
    .description('Copies an image by its digest, with all that belongs to it, into this registry.')
    .argument('<source>', 'registry/repository:tag or …@digest; without a registry, a repository of this one')
    .option(
      '-t, --image <names...>',
      'under which names (repository:tag) it is kept here; that of the source if left out',
    )
    .option('--repository <names...>', 'repositories that get it by its digest alone')
    .option('-u, --username <name>', 'the user name at the source')
    .option('--password-stdin', 'read the password at the source from stdin')
    .option('--force', 'move tags that are there already')
    .option(
      '--platform <platforms...>',
      'only these images of an index (linux/amd64); all if left out. The index gets another digest',
    )
    .option('--no-referrers', 'leave out signatures, SBOMs and attestations')
    .option('--no-wait', 'do not wait until it is over')
    .addHelpText('after', examples)
    .action((source: string, flags: Flags, command: Command) => start(command, (cli) => run(cli, source, flags)));
}
