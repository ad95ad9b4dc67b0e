import { fail } from '../domain/failure.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import type { Platform } from '../domain/run-request.ts';
import type { BuildBody } from './api-types.ts';
import type { RunOptionFlags } from './options.ts';

/** The flags of `slipway build` as commander hands them over. */
export interface BuildFlags extends RunOptionFlags {
  readonly image?: readonly string[];
  readonly file?: string;
  readonly buildArg?: readonly string[];
  readonly secretBuildArg?: readonly string[];
  readonly target?: string;
  readonly push: boolean;
  readonly cache: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const architectures = {
  amd64: 'amd64',
  x86: 'x86',
  '386': '386',
  arm: 'arm',
  arm64: 'arm64',
  x86_64: 'amd64',
  aarch64: 'arm64',
} as const;
const systems = { linux: 'linux', windows: 'windows' } as const;
const variants = { v6: 'v6', v7: 'v7', v8: 'v8' } as const;

function usage(field: string, message: string, hint?: string): Error {
  return fail('invalid-request', message, { field, ...(hint !== undefined && { hint }) });
}

function pick<T>(table: Readonly<Record<string, T>>, word: string): T {
  const found = Object.hasOwn(table, word) ? table[word] : undefined;
  if (found !== undefined) return found;
  const message = `--platform: "${word}" is none of ${Object.keys(table).join(', ')}`;
  throw usage('--platform', message, 'Write it as os/architecture, for example linux/arm64.');
}

/** `os[/architecture[/variant]]` in any case, as docker and az write it. Throws `invalid-request`. */
export function parsePlatform(text: string): Partial<Platform> {
  const [os = '', architecture, variant, ...rest] = text.toLowerCase().split('/');
  if (rest.length > 0) throw usage('--platform', `--platform: "${text}" has too many parts`);
  return {
    os: pick(systems, os),
    ...(architecture !== undefined && { architecture: pick(architectures, architecture) }),
    ...(variant !== undefined && { variant: pick(variants, variant) }),
  };
}

/**
 * `NAME=VALUE`, or `NAME` alone for the value that the environment has, which leaves it out when there is none (as docker does).
 * Throws `invalid-request` without the value: it may be a secret.
 */
export function parseArguments(
  texts: readonly string[],
  { isSecret, flag }: { readonly isSecret: boolean; readonly flag: string },
  env: Environment,
): BuildBody['arguments'] {
  return texts.flatMap((text) => {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    if (!/^[^\s=]+$/.test(name)) throw usage(flag, `${flag} must be NAME=VALUE or NAME`);
    const value = equals < 0 ? env[name] : text.slice(equals + 1);
    return value === undefined ? [] : [{ name, value, isSecret }];
  });
}

/** Seconds. Throws `invalid-request`. */
export function parseTimeout(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 300 && seconds <= 28_800) return seconds;
  throw usage('--timeout', '--timeout must be a whole number of seconds from 300 to 28800');
}

/** Whether the run may use the registry in the box. Throws `invalid-request`. */
export function parseAuthMode(text: string): NonNullable<BuildBody['credentials']> {
  const loginMode = (['None', 'Default'] as const).find((mode) => mode.toLowerCase() === text.toLowerCase());
  if (loginMode === undefined) throw usage('--auth-mode', '--auth-mode must be None or Default');
  return { sourceRegistry: { loginMode } };
}

/** Names without templates are looked at before the context is sent; the server looks at all of them. */
function checkImages(images: readonly string[]): readonly string[] {
  for (const image of images) if (!image.includes('{{')) parseImageReference(image, '--image');
  return images;
}

/** Everything of a request that the flags say; where the context and its Dockerfile lie is added when that is known. */
export function readBuildFlags(
  flags: BuildFlags,
  env: Environment,
): Omit<BuildBody, 'sourceLocation' | 'dockerFilePath'> {
  const imageNames = checkImages(flags.image ?? []);
  return {
    type: 'DockerBuildRequest',
    imageNames,
    isPushEnabled: flags.push && imageNames.length > 0,
    noCache: !flags.cache,
    arguments: [
      ...parseArguments(flags.buildArg ?? [], { isSecret: false, flag: '--build-arg' }, env),
      ...parseArguments(flags.secretBuildArg ?? [], { isSecret: true, flag: '--secret-build-arg' }, env),
    ],
    ...(flags.target !== undefined && { target: flags.target }),
    ...(flags.platform !== undefined && { platform: parsePlatform(flags.platform) }),
    ...(flags.timeout !== undefined && { timeout: parseTimeout(flags.timeout) }),
    ...(flags.authMode !== undefined && { credentials: parseAuthMode(flags.authMode) }),
  };
}
