import { simpleGit, type SimpleGitOptions } from 'simple-git';
import { maskedValue } from '../domain/run-request.ts';
import { killProcessesOf } from './git-processes.ts';
import { maskLocation } from './location-secret.ts';

/** What git said when it failed, without secrets. */
export class GitCommandError extends Error {
  override readonly name = 'GitCommandError';
  /** The last line that says what is wrong, without `fatal:`. */
  readonly lastLine: string;
  readonly output: string;

  constructor(output: string) {
    const lastLine = pickLine(output);
    super(lastLine);
    this.lastLine = lastLine;
    this.output = output;
  }
}

/** Runs git in one directory. Rejects with a {@link GitCommandError}, or with the signal's reason. */
export interface Git {
  run(args: readonly string[], options?: { readonly maxOutputBytes?: number }): Promise<string>;
}

export interface GitCommandOptions {
  readonly directory: string;
  /** Holds git's configuration as `gitconfig`; it is also its HOME, so that nothing of the worker's own is read. */
  readonly home: string;
  readonly path: string;
  readonly signal: AbortSignal;
  /** Texts that must never be shown. */
  readonly secrets: readonly string[];
}

/** Git's configuration file of one clone. Its path is unique to the clone, and so marks its processes. */
export function configOf(home: string): string {
  return `${home}/gitconfig`;
}

const guarded = ['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM', 'GIT_ATTR_NOSYSTEM', 'GIT_TERMINAL_PROMPT'] as const;

/** The whole environment of git: what the worker's own holds does not reach it. */
function environmentFor({ home, path }: GitCommandOptions): Record<string, string> {
  const settings: Record<(typeof guarded)[number], string> = {
    GIT_CONFIG_GLOBAL: configOf(home),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
  return { PATH: path, HOME: home, LC_ALL: 'C', ...settings };
}

const fixed: Partial<SimpleGitOptions> = {
  allowEnvironment: guarded,
  // For GIT_CONFIG_GLOBAL, which is how the token gets to git; the path is our own.
  unsafe: { allowUnsafeConfigPaths: true },
  // `exit` alone may come before the last output.
  completion: { onClose: true, onExit: false },
};

/** Makes a {@link Git} for an existing directory. */
export function createGit(options: GitCommandOptions): Git {
  const environment = environmentFor(options);
  return {
    run: async (args, { maxOutputBytes } = {}) => {
      options.signal.throwIfAborted();
      const flood = new AbortController();
      const stop = AbortSignal.any([options.signal, flood.signal]);
      const git = simpleGit({ ...fixed, baseDir: options.directory, abort: stop }).env(environment);
      if (maxOutputBytes !== undefined) git.outputHandler((_, stdout) => watch(stdout, maxOutputBytes, flood));
      let killing: Promise<void> | undefined;
      const kill = (): void => void (killing = killProcessesOf(`GIT_CONFIG_GLOBAL=${configOf(options.home)}`));
      stop.addEventListener('abort', kill, { once: true });
      try {
        return await git.raw([...args]);
      } catch (error) {
        await killing;
        options.signal.throwIfAborted();
        if (flood.signal.aborted) throw new GitCommandError('the output is too long');
        throw new GitCommandError(scrub(error instanceof Error ? error.message : '', options.secrets));
      } finally {
        stop.removeEventListener('abort', kill);
      }
    },
  };
}

function watch(stdout: NodeJS.ReadableStream, maxBytes: number, flood: AbortController): void {
  let bytes = 0;
  stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) flood.abort();
  });
}

function scrub(text: string, secrets: readonly string[]): string {
  const hidden = secrets.filter((secret) => secret.length > 0);
  return hidden.reduce((left, secret) => left.replaceAll(secret, maskedValue), maskLocation(text));
}

function pickLine(output: string): string {
  const lines = output
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const told = lines.filter((line) => /^(?:fatal|error|ERROR|remote|ssh):/.test(line));
  const line = told.findLast((one) => one.startsWith('fatal:') && !/could not read from remote/i.test(one));
  return (line ?? told.at(-1) ?? lines.at(-1) ?? 'git failed without a word')
    .replace(/^(?:fatal|error): /, '')
    .slice(0, 300);
}
