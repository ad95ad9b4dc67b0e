import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** What a finished program left. `code` is null when it was killed or never started. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs of the host, behind a small face so that tests can script them. */
export interface Commands {
  /** The absolute path of a program, or undefined when the host does not have it. */
  find(program: string): string | undefined;
  /** Runs a program to its end, without a shell and without stdin; never rejects. */
  run(program: string, args: readonly string[], options?: { readonly timeoutMs?: number }): Promise<CommandResult>;
}

/** Where system programs live, whatever the caller's PATH says: `dockerd` is in no ordinary user's PATH. */
const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/homebrew/bin'];
const outputLimit = 16 * 1024 * 1024;

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The programs of this machine. */
export function createCommands(): Commands {
  const find = (program: string): string | undefined =>
    program.includes('/') ? program : folders.map((folder) => join(folder, program)).find(isExecutable);
  return {
    find,
    run: (program, args, { timeoutMs = 60_000 } = {}) =>
      new Promise((resolve) => {
        const options = { timeout: timeoutMs, maxBuffer: outputLimit, killSignal: 'SIGKILL' as const };
        const child = execFile(find(program) ?? program, [...args], options, (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
          resolve({ code, stdout, stderr: stderr || (error?.message ?? '') });
        });
        child.stdin?.end();
      }),
  };
}
