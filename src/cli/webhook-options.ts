import { Option, type Command } from 'commander';
import { fail } from '../domain/failure.ts';
import { isWebhookName } from '../domain/webhook.ts';

/** The webhook that a command is about: named by itself, or with az's `-n`. Throws `invalid-request`. */
export function readWebhookName(word: string | undefined, flags: { readonly name?: string }): string {
  const name = word ?? flags.name;
  if (name === undefined) throw fail('invalid-request', 'which webhook? Its name is missing', { field: 'name' });
  if (word !== undefined && flags.name !== undefined && word !== flags.name)
    throw fail('invalid-request', `which webhook, ${word} or ${flags.name}?`, { field: '--name' });
  if (isWebhookName(name)) return name;
  throw fail('invalid-request', `"${name.slice(0, 60)}" is no name of a webhook`, {
    field: 'name',
    hint: 'it has 5 to 50 letters and digits',
  });
}

/** az's `-r`, which has no use here: there is one registry. */
export function registryOption(): Option {
  return new Option('-r, --registry <name>', 'taken for scripts that were written for Azure').hideHelp();
}

/** Adds `[name]` and az's `-n`, and takes az's `-r` without a use for it. */
export function addWebhookName(command: Command): Command {
  return command
    .argument('[name]', 'the webhook’s name: 5 to 50 letters and digits')
    .addOption(new Option('-n, --name <name>', 'the same, as az has it').hideHelp())
    .addOption(registryOption());
}
