import { Option, type Command } from 'commander';
import { fail } from '../domain/failure.ts';
import { isTaskName } from '../domain/task.ts';
import { collect } from './options.ts';

/** A flag of three states, as az has them: left out, given alone (true), or with `true` or `false`. */
export type ThreeState = string | boolean | undefined;

/** The flags that say what a task is, as commander hands them over. */
export interface TaskFlags {
  readonly name?: string;
  readonly context?: string;
  readonly file?: string;
  readonly cmd?: string;
  readonly image?: readonly string[];
  readonly arg?: readonly string[];
  readonly secretArg?: readonly string[];
  readonly set?: readonly string[];
  readonly setSecret?: readonly string[];
  readonly values?: string;
  readonly target?: string;
  /** commander's own way with `--no-…`: true when left out, false when given alone. */
  readonly push?: string | boolean;
  readonly cache?: string | boolean;
  readonly platform?: string;
  readonly timeout?: string;
  readonly agentPool?: string;
  readonly authMode?: string;
  readonly status?: string;
  readonly logTemplate?: string;
  readonly whenSuperseded?: string;
  readonly maxConcurrent?: string;
  readonly assignIdentity?: string | readonly string[] | boolean;
  readonly gitAccessToken?: string;
  readonly gitAccessTokenFile?: string;
  readonly apiUrl?: string;
  readonly sourceTriggerName?: string;
  readonly commitTriggerEnabled?: ThreeState;
  readonly pullRequestTriggerEnabled?: ThreeState;
  readonly tagTriggerEnabled?: ThreeState;
  readonly trustForks?: ThreeState;
  readonly branch?: readonly string[];
  readonly excludeBranch?: readonly string[];
  readonly tag?: readonly string[];
  readonly excludeTag?: readonly string[];
  readonly path?: readonly string[];
  readonly excludePath?: readonly string[];
  readonly baseImageTriggerEnabled?: ThreeState;
  readonly baseImageTriggerType?: string;
  readonly baseImageTriggerName?: string;
  readonly baseImageTriggerStrategy?: string;
  readonly baseImageTriggerWave?: string;
  readonly baseImageTriggerSteps?: ThreeState;
  readonly followBaseTag?: readonly string[];
  readonly updateTriggerEndpoint?: string;
  readonly updateTriggerPayloadType?: string;
  readonly schedule?: readonly string[];
}

/** What a flag of three states says; undefined when it was left out. Throws `invalid-request` for another word. */
export function readThreeState(value: ThreeState, flag: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (/^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw fail('invalid-request', `${flag} is true or false`, { field: flag });
}

/** What a flag `--no-…` of three states says of the thing that it denies; undefined when it was left out. */
export function readDenial(value: string | boolean | undefined, flag: string): boolean | undefined {
  if (value === true || value === undefined) return undefined;
  if (value === false) return false;
  return readThreeState(value, flag) === false;
}

/** The task that a command is about: named by itself, or with az's `-n`. Throws `invalid-request`. */
export function readTaskName(word: string | undefined, flags: { readonly name?: string }): string {
  const name = word ?? flags.name;
  if (name === undefined) throw fail('invalid-request', 'which task? Its name is missing', { field: 'name' });
  if (word !== undefined && flags.name !== undefined && word !== flags.name)
    throw fail('invalid-request', `which task, ${word} or ${flags.name}?`, { field: '--name' });
  if (isTaskName(name)) return name;
  throw fail('invalid-request', `"${name.slice(0, 60)}" is no name of a task`, {
    field: 'name',
    hint: 'it has 5 to 50 letters, digits, "-" and "_", the first a letter or digit',
  });
}

/** Takes one of some words in any case. Throws `invalid-request` naming the flag. */
export function pickWord<T extends string>(text: string, words: readonly T[], flag: string): T {
  const found = words.find((one) => one.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw fail('invalid-request', `${flag} must be one of ${words.join(', ')}`, { field: flag });
}

/** Adds `[name]` and az's `-n`, and takes az's `-r` without a use for it. */
export function addTaskName(command: Command): Command {
  return command
    .argument('[name]', 'the task’s name: 5 to 50 letters, digits, "-" and "_"')
    .addOption(new Option('-n, --name <name>', 'the same, as az has it').hideHelp())
    .addOption(new Option('-r, --registry <name>', 'taken for scripts that were written for Azure').hideHelp());
}

function addStepOptions(command: Command): Command {
  return command
    .option(
      '-c, --context <url>',
      'a git URL with #branch:folder, a folder, oci://registry/repository:tag, the URL of a tar archive, or /dev/null for none',
    )
    .option('-f, --file <path>', 'the Dockerfile or, with .yaml behind it, the task file in the context; - is stdin')
    .option('--cmd <command>', 'run one command instead: an image and its arguments')
    .option('-t, --image <name>', 'name[:tag] of the image that a Dockerfile makes; may be repeated', collect)
    .option('--arg <name=value>', 'a build argument; may be repeated', collect)
    .option('--secret-arg <name=value>', 'a build argument that is kept sealed and masked in all logs', collect)
    .option('--set <name=value>', 'a value for {{.Values.name}} of a task file; may be repeated', collect)
    .option('--set-secret <name=value>', 'a value that is kept sealed and masked in all logs', collect)
    .option('--values <path>', 'a YAML file with values, in the context; --set wins over it')
    .option('--target <stage>', 'the stage of the Dockerfile to stop at')
    .option('--no-push [bool]', 'build, and push nothing')
    .option('--no-cache [bool]', 'build every step anew');
}

function addRunSettings(command: Command): Command {
  return command
    .option('--platform <os/arch>', 'what the runs are for, for example linux/arm64')
    .option('--timeout <seconds>', 'stop a run after so many seconds (300 to 28800; 3600 when not given)')
    .option('--agent-pool <name>', 'the workers that run it')
    .option('--auth-mode <mode>', 'None: runs may not use the registry in the box; Default: they may')
    .option('--status <status>', 'Enabled, or Disabled: triggers start nothing')
    .option(
      '--when-superseded <what>',
      'when a newer event of the same branch comes: queue, skip or cancel the older run',
    )
    .option(
      '--max-concurrent <number>',
      'how many runs of it may be at work at the same time; any number when not given',
    )
    .addOption(new Option('--log-template <name>', 'kept for Azure’s clients').hideHelp())
    .addOption(new Option('--assign-identity [ids...]', 'kept for Azure’s clients').hideHelp());
}

function addSourceOptions(command: Command): Command {
  return command
    .option('--git-access-token <token>', 'for the context, commit statuses and the webhook; - reads it from stdin')
    .option(
      '--git-access-token-file <path>',
      'the file that it is in (or SLIPWAY_GIT_ACCESS_TOKEN when a task is made)',
    )
    .option('--api-url <url>', 'the root of the forge’s API, where it does not follow from the context or is http')
    .option('--commit-trigger-enabled [bool]', 'pushes start runs (default: they do)')
    .option('--pull-request-trigger-enabled [bool]', 'pull requests start runs (default: they do not)')
    .option('--tag-trigger-enabled [bool]', 'tags start runs (default: when --tag or --exclude-tag is given)')
    .option('--branch <glob>', 'only these branches (default: the one of the context); may be repeated', collect)
    .option('--exclude-branch <glob>', 'not these branches; may be repeated', collect)
    .option('--tag <glob>', 'only these tags; may be repeated', collect)
    .option('--exclude-tag <glob>', 'not these tags; may be repeated', collect)
    .option('--path <glob>', 'only pushes that change such files; may be repeated', collect)
    .option('--exclude-path <glob>', 'not pushes that change such files alone; may be repeated', collect)
    .option('--trust-forks [bool]', 'pull requests of forks get the task’s secrets and may push')
    .addOption(new Option('--source-trigger-name <name>', 'as az has it').hideHelp());
}

function addBaseImageOptions(command: Command): Command {
  return command
    .option('--base-image-trigger-enabled [bool]', 'a changed base image starts a run (default: it does)')
    .option('--base-image-trigger-type <type>', 'Runtime: the base of the final image; All: those of build stages too')
    .option('--base-image-trigger-steps [bool]', 'with type All: the images that cmd steps run in count too')
    .option(
      '--base-image-trigger-strategy <how>',
      'rebuild (the default), rebase: exchange the base’s layers without a build, or auto: where that is safe',
    )
    .option('--base-image-trigger-wave <0-9>', 'when many tasks are rebuilt: lower waves go first (default: 9)')
    .option(
      '--follow-base-tag <image:tag*=ARG>',
      'a newer tag that matches starts a run with it as build argument ARG; may be repeated, none takes all away',
      collect,
    )
    .option('--update-trigger-endpoint <url>', 'is told when a base image has changed')
    .option('--update-trigger-payload-type <type>', 'Default: with the images that changed; Token: the token alone')
    .addOption(new Option('--base-image-trigger-name <name>', 'as az has it').hideHelp());
}

/** Adds the options of {@link TaskFlags}. */
export function addTaskOptions(command: Command): Command {
  return addBaseImageOptions(addSourceOptions(addRunSettings(addStepOptions(command))));
}
