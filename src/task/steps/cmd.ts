import { agentImages } from '../alias/built-in.ts';
import { suggest } from '../../domain/nearest.ts';
import type { EnvVariable, ShellScript } from '../../domain/step.ts';
import { isUtility, needsShell, otherPrograms, splitCommands, unsetVariables } from '../shell/commands.ts';
import { readFlags, type GivenFlag } from '../shell/flags.ts';
import { findRunFlag, runFlagNames, type RunFlag } from '../shell/run-flags.ts';
import type { ShellLine, ShellToken } from '../shell/tokens.ts';
import { readShellLine } from '../shell/words.ts';
import type { Located } from '../yaml/fields.ts';
import { refuseInFlags } from './outputs.ts';
import type { TaskScope } from './scope.ts';

/** What a cmd string says. */
export interface ParsedCmd {
  readonly flags: readonly GivenFlag<RunFlag>[];
  readonly image: string;
  readonly arguments: readonly string[];
  readonly shell?: ShellScript;
  readonly agentImage?: string;
  readonly usesEngine: boolean;
  /** All words of the first command, flags, image and arguments, as `docker run` would be given them. */
  readonly words: readonly string[];
}

/** A cmd string and the variables that it may use. */
export interface CmdSource {
  readonly cmd: Located<string>;
  readonly env: readonly EnvVariable[];
}

/**
 * The cmd with its first word replaced by the alias of that name (acr-tasks.md §2.4): only when the whole word is one, and never
 * a word with a tag.
 */
export function expandImageAlias(cmd: string, aliases: ReadonlyMap<string, string>): string {
  const parts = cmd.trim().split(' ');
  const alias = aliases.get(parts[0] ?? '');
  return alias === undefined ? cmd : [alias, ...parts.slice(1)].join(' ');
}

function readLine({ cmd, env }: CmdSource, text: string, { report }: TaskScope): ShellLine | undefined {
  const values = new Map(env.map(({ name, value }) => [name, value]));
  const read = readShellLine(text, (name) => values.get(name));
  if (!read.ok) {
    report.error(cmd.at, 'quotes', `${read.fault.message} in cmd`);
    return undefined;
  }
  for (const name of unsetVariables(read.line)) {
    const hint = `put it into single quotes for the container to fill in, or set ${name} in env`;
    report.warn(cmd.at, 'variable', `$${name} has no value outside the container, and is empty`, hint);
  }
  return read.line;
}

/** Flags whose values may be outputs. */
const readingFlags = new Set('env user workdir entrypoint publish expose cpus memory label hostname'.split(' '));

function checkFlags(flags: ReturnType<typeof readFlags<RunFlag>>, at: number, { report }: TaskScope): void {
  for (const { written } of flags.unknown)
    report.error(at, 'unknown-flag', `docker run has no flag ${written.slice(0, 60)}`, suggest(written, runFlagNames));
  if (flags.withoutValue !== undefined) report.error(at, 'flag', `${flags.withoutValue.written} in cmd has no value`);
  for (const { flag, written } of flags.given)
    if (flag.refused !== undefined) report.error(at, 'flag', `${written} cannot be used here: ${flag.refused}`);
  refuseInFlags(flags.given, readingFlags, at, report);
}

function lastPart(image: string): string {
  return (image.split('/').at(-1) ?? image).split(/[:@]/)[0] ?? image;
}

function isEngineImage(image: string): boolean {
  return ['docker', 'buildx', 'acb'].includes(lastPart(image));
}

/** The parts that decide whether a line can be run by a shell in its container. */
interface ShellCase {
  readonly source: CmdSource;
  readonly line: ShellLine;
  readonly text: string;
  readonly image: ShellToken;
  readonly arguments: readonly ShellToken[];
}

/** `bash echo … | docker login …`: all of it runs in an image that has the docker client, `echo` too. */
function isEchoIntoDocker(
  { image, arguments: [first] }: ShellCase,
  programs: readonly (string | undefined)[],
): boolean {
  const isBash = lastPart(image.text) === 'bash';
  return isBash && first !== undefined && isUtility(first.text) && programs.includes('docker');
}

/** The script that means in the container what the line means on the original's host; undefined when there is none. */
function readScript(
  one: ShellCase,
  { report }: TaskScope,
): { readonly shell: ShellScript; readonly image: string } | undefined {
  const { source, line, text, image } = one;
  const programs = otherPrograms(line);
  const usesDocker = isEchoIntoDocker(one, programs);
  const foreign = programs.find((program) => {
    if (program === undefined) return true;
    if (program === 'docker' && (usesDocker || isEngineImage(image.text))) return false;
    return !isUtility(program);
  });
  if (programs.some((program) => program !== undefined && program === foreign) || programs.includes(undefined)) {
    const what = foreign === undefined ? 'a command' : `"${foreign.slice(0, 60)}"`;
    const hint = `make it a step of its own, or run all of it in one container: bash -c '…'`;
    report.error(
      source.cmd.at,
      'shell',
      `cmd has ${what} outside quotes, which the original runs on its own host, not in the container`,
      hint,
    );
    return undefined;
  }
  if (line.tokens.some(({ kind, text: operator }) => kind === 'operator' && operator === '&')) {
    report.error(
      source.cmd.at,
      'shell',
      'a & outside quotes leaves a process behind that nothing waits for',
      'use detach: true',
    );
    return undefined;
  }
  return {
    shell: { script: text.slice(image.end).trim(), startsWithEntryPoint: !usesDocker },
    image: usesDocker ? 'docker' : image.text,
  };
}

/** A substitution or a redirection before the image would have to be made before there is a container. */
function isBeforeImage({ tokens, substitutions }: ShellLine, image: ShellToken): boolean {
  return (
    substitutions.some(({ at }) => at < image.end) ||
    tokens.some(({ kind, start, text }) => kind === 'operator' && text !== '\n' && start < image.start)
  );
}

function warnOfLookalike(image: string, { cmd }: CmdSource, { aliases, report }: TaskScope): void {
  if (/[/:.@]/.test(image) || image.length < 3 || agentImages.includes(image)) return;
  const names = [...aliases.keys()].filter((name) => /^[a-z]{3,}$/.test(name));
  const hint = suggest(image, names);
  if (hint !== undefined) report.warn(cmd.at, 'image-name', `"${image}" is taken as the name of an image`, hint);
}

/** The shell case of a line, or undefined after an error. */
function settleShell(
  one: ShellCase,
  scope: TaskScope,
): { readonly shell: ShellScript; readonly image: string } | undefined {
  if (!isBeforeImage(one.line, one.image)) return readScript(one, scope);
  const hint = 'put the part in question into quotes, or after the image';
  scope.report.error(one.source.cmd.at, 'shell', 'what stands before the image must be plain words', hint);
  return undefined;
}

/**
 * Reads the string of a cmd step (acr-tasks.md §1.4): flags of `docker run`, the image or its alias, arguments, by a POSIX shell's rules.
 * What needs a shell is given to one in the step's container where that means the same, and is an error where not.
 */
export function readCmd(source: CmdSource, scope: TaskScope): ParsedCmd | undefined {
  const { cmd } = source;
  const text = expandImageAlias(cmd.value, scope.aliases);
  const line = readLine(source, text, scope);
  if (line === undefined) return undefined;
  const words = splitCommands(line)[0]?.words ?? [];
  const flags = readFlags(words, { find: findRunFlag, names: runFlagNames, stopAtFirst: true });
  checkFlags(flags, cmd.at, scope);
  const [image, ...rest] = flags.rest;
  if (image === undefined) {
    scope.report.error(
      cmd.at,
      'cmd',
      'cmd names no image',
      'write the image first, then its arguments: bash echo hello',
    );
    return undefined;
  }
  warnOfLookalike(image.text, source, scope);
  const settled = needsShell(line) ? settleShell({ source, line, text, image, arguments: rest }, scope) : undefined;
  const name = settled?.image ?? image.text;
  return {
    flags: flags.given,
    image: name,
    arguments: rest.map(({ text: word }) => word),
    ...(settled !== undefined && { shell: settled.shell }),
    ...(agentImages.includes(name) && { agentImage: name }),
    usesEngine: isEngineImage(name),
    words: words.map(({ text: word }) => word),
  };
}
