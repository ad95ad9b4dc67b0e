import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fail } from '../domain/failure.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import type { Argument } from '../domain/run-request.ts';
import { parseSourceLocation, type SourceLocation } from '../source/location.ts';
import { parseArguments } from './build-request.ts';
import type { CliIo } from './io.ts';
import { createOneStepTask } from './one-step-task.ts';
import { readDenial, type TaskFlags } from './task-options.ts';
import { parseSet } from './task-request.ts';
import type { StepView } from './task-types.ts';

const noContext = '/dev/null';
const defaultTaskFile = 'acb.yaml';

/** What az takes for a task file; everything else is a Dockerfile (acr-tasks.md §3.1). */
const taskFile = /\.(?:ya?ml|toml|json|sh|bash|zsh|ps1?|cmd|bat|ts|js|php|py|rb|lua)$/i;

/** A task's context: nothing, or a place that the server can read from whenever the task runs. */
export interface TaskContext {
  readonly path: string;
  readonly location: Exclude<SourceLocation, { readonly kind: 'upload' }>;
}

/** Reads `-c`. Undefined for /dev/null. Throws `invalid-request` for what is no address; folders of this machine are pushed before. */
export function readTaskContext(text: string): TaskContext | undefined {
  if (text === noContext) return undefined;
  const isRemote = /^[a-z][a-z0-9+.-]*:\/\/|^[\w.-]+@[\w.-]+:|^github\.com\//i.test(text);
  if (!isRemote) {
    throw fail('invalid-request', `the context ${text} is not an address: a task must find it whenever it runs`, {
      field: '--context',
      hint: 'give a folder, a git URL, oci://registry/repository:tag, or /dev/null',
    });
  }
  const location = parseSourceLocation(text, '--context');
  if (location.kind === 'upload') throw fail('internal', 'an address that is an upload');
  return { path: text, location };
}

/** The build arguments, or the values, that flags give. */
export function readTaskArguments(
  flags: TaskFlags,
  io: CliIo,
): { args: readonly Argument[]; values: readonly Argument[] } {
  return {
    args: [
      ...parseArguments(flags.arg ?? [], { isSecret: false, flag: '--arg' }, io.env),
      ...parseArguments(flags.secretArg ?? [], { isSecret: true, flag: '--secret-arg' }, io.env),
    ],
    values: [...parseSet(flags.set ?? [], false), ...parseSet(flags.setSecret ?? [], true)],
  };
}

function refuse(flag: string, message: string, hint?: string): Error {
  return fail('invalid-request', `${flag} ${message}`, { field: flag, ...(hint !== undefined && { hint }) });
}

/** Flags that say nothing of such a step are a mistake, and not a wish. */
function checkForeign(flags: TaskFlags, kind: 'Dockerfile' | 'task file'): void {
  const [foreign, instead] =
    kind === 'Dockerfile'
      ? ([['set', 'setSecret', 'values'], 'a Dockerfile takes --arg and --secret-arg'] as const)
      : ([
          ['arg', 'secretArg', 'target', 'image'],
          'a task file takes --set and --set-secret, and names its own images',
        ] as const);
  const found = foreign.find((name) => flags[name] !== undefined);
  if (found === undefined) return;
  const flag = `--${found.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw refuse(flag, `does not go with a ${kind}`, instead);
}

function encode(content: string): string {
  return Buffer.from(content).toString('base64');
}

async function readLocal(io: CliIo, name: string, flag: string): Promise<string> {
  if (name === '-') return text(io.stdin);
  return readFile(resolve(io.cwd, name), 'utf8').catch((cause: unknown) => {
    const hint = 'without a context it is a file of this machine, and is kept with the task';
    throw fail('invalid-request', `${name} cannot be read`, { field: flag, hint, cause });
  });
}

/**
 * The one step of a command. As with az, what it runs is a value, so that a run of the task may do another (`--set command=…`); a command
 * with templates or aliases must stand in the text itself for those to mean something.
 */
function encodeCommand(
  cmd: string,
  timeout: number | undefined,
): Pick<StepView, 'encodedTaskContent' | 'encodedValuesContent'> {
  const isPlain = !/\{\{|[$\r\n]/.test(cmd.trim());
  const content = createOneStepTask(isPlain && cmd.trim() !== '' ? '{{.Values.command}}' : cmd, timeout);
  return {
    encodedTaskContent: encode(content),
    ...(isPlain && { encodedValuesContent: encode(`command: ${JSON.stringify(cmd.trim())}\n`) }),
  };
}

async function readEncoded(io: CliIo, flags: TaskFlags, timeout: number | undefined): Promise<Partial<StepView>> {
  checkForeign(flags, 'task file');
  const { cmd, file, values } = flags;
  if (cmd !== undefined) {
    if (values !== undefined) throw refuse('--values', 'does not go with --cmd');
    return { type: 'EncodedTask', ...encodeCommand(cmd, timeout) };
  }
  const content = await readLocal(io, file ?? defaultTaskFile, '--file');
  return {
    type: 'EncodedTask',
    encodedTaskContent: encode(content),
    ...(values !== undefined && { encodedValuesContent: encode(await readLocal(io, values, '--values')) }),
  };
}

/** The flags that concern Dockerfiles alone, as far as they were given. */
export function readDockerFlags(flags: TaskFlags): Partial<StepView> {
  for (const image of flags.image ?? []) if (!image.includes('{{')) parseImageReference(image, '--image');
  const isPushed = readDenial(flags.push, '--no-push');
  const isCached = readDenial(flags.cache, '--no-cache');
  return {
    ...(flags.image !== undefined && { imageNames: flags.image }),
    ...(isPushed !== undefined && { isPushEnabled: isPushed }),
    ...(isCached !== undefined && { noCache: !isCached }),
    ...(flags.target !== undefined && { target: flags.target }),
  };
}

export interface StepWish {
  readonly flags: TaskFlags;
  readonly context: TaskContext | undefined;
  /** Seconds. */
  readonly timeout: number | undefined;
  readonly token: string | undefined;
}

/** Whether flags that name a file mean a Dockerfile. */
export function isDockerfile({ file, image }: TaskFlags): boolean {
  return file === undefined ? image !== undefined : !taskFile.test(file);
}

async function readOwnPart(
  io: CliIo,
  { flags, context, timeout }: StepWish,
): Promise<Partial<StepView> & Pick<StepView, 'type'>> {
  const { cmd, file } = flags;
  if (cmd !== undefined && file !== undefined) throw refuse('--cmd', 'and -f exclude each other');
  const { args, values } = readTaskArguments(flags, io);
  if (context === undefined || cmd !== undefined || file === '-') {
    return { ...(await readEncoded(io, flags, timeout)), type: 'EncodedTask', values };
  }
  if (isDockerfile(flags)) {
    checkForeign(flags, 'Dockerfile');
    return { type: 'Docker', dockerFilePath: file ?? 'Dockerfile', ...readDockerFlags(flags), arguments: args };
  }
  checkForeign(flags, 'task file');
  return {
    type: 'FileTask',
    taskFilePath: file ?? defaultTaskFile,
    ...(flags.values !== undefined && { valuesFilePath: flags.values }),
    values,
  };
}

/** The step of a new task (acr-tasks.md §3.1, "CLI rules"). Throws `invalid-request` naming the flag. */
export async function readTaskStep(io: CliIo, wish: StepWish): Promise<StepView> {
  const { context, token } = wish;
  return {
    ...(await readOwnPart(io, wish)),
    ...(context !== undefined && { contextPath: context.path }),
    ...(context !== undefined && token !== undefined && { contextAccessToken: token }),
  };
}
