import type { Command } from 'commander';
import { parseImageReference } from '../../domain/image-reference.ts';
import type { QuarantineOrder, RegistryUsage } from '../../domain/registry-care.ts';
import type { Cli, Start } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatBytes, formatTable } from '../words.ts';

function count(number: number, one: string, many = `${one}s`): string {
  return `${String(number)} ${number === 1 ? one : many}`;
}

function describeUsage({ bytes, maxBytes, tier, quotas, repositories }: RegistryUsage): readonly string[] {
  const most = maxBytes === undefined ? '' : ` of ${formatBytes(maxBytes)}`;
  const rows = repositories.map(({ repository, bytes: held, manifests, tags, deleted }) => [
    repository,
    formatBytes(held),
    count(tags, 'tag'),
    `${count(manifests, 'manifest')}${deleted === 0 ? '' : `, ${String(deleted)} deleted`}`,
  ]);
  const limits = quotas.map((one) => [one.repositories, `${formatBytes(one.bytes)} of ${formatBytes(one.maxBytes)}`]);
  return [
    `${formatBytes(bytes)}${most} in ${count(repositories.length, 'repository', 'repositories')}${tier === undefined ? '' : ` (${tier})`}`,
    ...formatTable(limits),
    ...formatTable(rows),
  ];
}

async function usage({ screen, client }: Cli): Promise<ExitCode> {
  const found = await (await client()).usage();
  await screen.result(found);
  if (!screen.json) for (const line of describeUsage(found)) await screen.print(line);
  return 0;
}

async function deleted({ screen, client }: Cli, flags: { readonly repository?: string }): Promise<ExitCode> {
  const items = await (await client()).deleted(flags.repository);
  await screen.result(items);
  if (screen.json) return 0;
  if (items.length === 0) screen.note('Nothing was deleted that can be had back.');
  const rows = items.map(({ kind, repository, digest, tags, deletedTime, purgeTime }) => [
    kind,
    kind === 'tag' ? `${repository}:${tags.join('')}` : `${repository}@${digest}`,
    kind === 'tag' ? '' : tags.join(' '),
    `deleted ${deletedTime}`,
    `until ${purgeTime}`,
  ]);
  for (const line of formatTable(rows)) await screen.print(line);
  return 0;
}

async function restore(
  { screen, client }: Cli,
  image: string,
  flags: { readonly force?: true; readonly digest?: string },
): Promise<ExitCode> {
  const { repository, tag, digest = flags.digest } = parseImageReference(image);
  const report = await (
    await client()
  ).restore({
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    ...(flags.force === true && { force: true }),
  });
  await screen.result(report);
  if (screen.json) return 0;
  const tags = report.tags.length === 0 ? 'without a tag' : `as ${report.tags.join(', ')}`;
  await screen.print(`${repository}@${report.digest} is back, ${tags}.`);
  if (report.taken.length > 0)
    screen.note(
      `These tags stand for something else by now: ${report.taken.join(', ')}. --force moves one that is named.`,
    );
  return 0;
}

async function judge(
  { screen, client }: Cli,
  image: string,
  order: Pick<QuarantineOrder, 'state' | 'details'>,
): Promise<ExitCode> {
  const { repository, tag = 'latest', digest } = parseImageReference(image);
  const found = await (await client()).quarantine({ repository, reference: digest ?? tag, ...order });
  await screen.result(found);
  const meaning = found.state === 'Passed' ? 'can be pulled' : 'cannot be pulled';
  if (!screen.json) await screen.print(`${repository}@${found.digest} is ${found.state} and ${meaning}.`);
  return 0;
}

function addQuarantine(registry: Command, start: Start): void {
  const quarantine = registry
    .command('quarantine')
    .summary('pass images, or keep them away')
    .description(
      'Decides about images in quarantine, and the platforms of an index with it: see slipway registry policy.',
    );
  const verbs = [
    ['pass', 'Passed', 'Lets an image be pulled; it is told of as a push.'],
    ['fail', 'Failed', 'Keeps an image from being pulled.'],
    ['hold', 'Quarantined', 'Puts an image back into quarantine.'],
  ] as const;
  for (const [verb, state, description] of verbs)
    quarantine
      .command(verb)
      .description(description)
      .argument('<image>', 'NAME:TAG or NAME@DIGEST')
      .option('--details <json>', 'what is written down about it')
      .action((image: string, flags: { readonly details?: string }, command: Command) =>
        start(command, (cli) =>
          judge(cli, image, { state, ...(flags.details !== undefined && { details: flags.details }) }),
        ),
      );
}

/** Adds `slipway registry usage`, `deleted`, `restore` and `quarantine`. */
export function addRegistryCare(registry: Command, start: Start): void {
  registry
    .command('usage')
    .description('Shows how much the registry holds, in all and in each repository.')
    .action((_flags: unknown, command: Command) => start(command, usage));
  registry
    .command('deleted')
    .description('Lists what was deleted and can be had back.')
    .option('--repository <name>', 'only there')
    .action((flags: { readonly repository?: string }, command: Command) =>
      start(command, (cli) => deleted(cli, flags)),
    );
  registry
    .command('restore')
    .summary('have back what was deleted')
    .description('Has back a deleted image: by tag what was deleted last with it, by digest with all its tags.')
    .argument('<image>', 'NAME:TAG, NAME@DIGEST, or NAME:TAG@DIGEST')
    .option('-d, --digest <digest>', 'which one, where the name has only the tag')
    .option('-f, --force', 'move the tag though it stands for something else by now')
    .action((image: string, flags: { readonly force?: true; readonly digest?: string }, command: Command) =>
      start(command, (cli) => restore(cli, image, flags)),
    );
  addQuarantine(registry, start);
}
