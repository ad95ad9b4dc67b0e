import { Option, type Command } from 'commander';
import { fail } from '../domain/failure.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import type { ListOrder, RegistryTarget } from './repository-client.ts';

/** How a command is told what it is about. */
export interface TargetFlags {
  readonly image?: string;
  readonly repository?: string;
}

/** How a command is told how a list is to come. */
export interface ListFlags {
  readonly top?: string;
  readonly orderby?: 'time_asc' | 'time_desc';
  readonly detail?: true;
}

const targetHint = 'NAME, NAME:TAG or NAME@DIGEST, without the registry: slipway speaks to that of the server';

function readTarget(text: string, field: string): RegistryTarget {
  const { registry, repository, tag, digest } = parseImageReference(text, field);
  if (registry !== undefined)
    throw fail('invalid-request', `"${text.slice(0, 300)}" names a registry`, { field, hint: targetHint });
  if (digest !== undefined) return { repository, digest };
  return { repository, ...(tag !== undefined && { tag }) };
}

/** The repository of `--repository`, or of an argument that can be no more than that. Throws `invalid-request`. */
export function readRepository(text: string, field = 'repository'): string {
  const { repository, tag, digest } = readTarget(text, field);
  if (tag === undefined && digest === undefined) return repository;
  throw fail('invalid-request', `"${text.slice(0, 300)}" is more than a repository`, { field });
}

/**
 * What a command is about: its argument, or `--image`, or `--repository`; exactly one of them.
 * @throws `invalid-request`
 */
export function findTarget(argument: string | undefined, { image, repository }: TargetFlags): RegistryTarget {
  const given = [argument, image, repository].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw fail('invalid-request', given.length === 0 ? 'what is meant is missing' : 'more than one thing is named', {
      field: '--image',
      hint: targetHint,
    });
  if (repository !== undefined) return { repository: readRepository(repository, '--repository') };
  if (image === undefined) return readTarget(argument ?? '', 'reference');
  const target = readTarget(image, '--image');
  if (target.tag !== undefined || target.digest !== undefined) return target;
  throw fail('invalid-request', `"${image.slice(0, 300)}" has neither a tag nor a digest`, {
    field: '--image',
    hint: 'for the whole repository: --repository',
  });
}

/** As it is written. */
export function formatTarget({ repository, tag, digest }: RegistryTarget): string {
  return digest !== undefined ? `${repository}@${digest}` : tag !== undefined ? `${repository}:${tag}` : repository;
}

/** Adds the argument and flags that {@link findTarget} reads. */
export function addTarget(command: Command, what: string): Command {
  return command
    .argument('[reference]', what)
    .option('-t, --image <image>', 'the same: NAME:TAG or NAME@DIGEST')
    .option('--repository <name>', 'the same: a whole repository');
}

/** Adds the flags of lists. */
export function addListFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--orderby <order>', 'by the time of the last change; by name when not given').choices([
        'time_asc',
        'time_desc',
      ]),
    )
    .option('--top <count>', 'at most so many')
    .option('--detail', 'all that is known of each');
}

/** Throws `invalid-request`. */
export function readOrder({ top, orderby }: ListFlags): ListOrder {
  if (top !== undefined && !/^[1-9]\d{0,8}$/.test(top))
    throw fail('invalid-request', '--top must be a number, at least 1', { field: '--top' });
  return {
    ...(top !== undefined && { top: Number(top) }),
    ...(orderby !== undefined && { orderBy: orderby === 'time_asc' ? 'timeasc' : 'timedesc' }),
  };
}
