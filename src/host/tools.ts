import { createCommands, type Commands } from './commands.ts';

/** What the functions of this room work with; tests hand in their own. */
export interface HostTools {
  readonly commands: Commands;
  /** Progress for people, one line without its end. */
  readonly say: (line: string) => void;
  /** Whether packages may be installed and a container engine started. */
  readonly isRoot: boolean;
}

/** The tools of the machine that this process runs on. */
export function createHostTools(say: (line: string) => void): HostTools {
  return { commands: createCommands(), say, isRoot: process.getuid?.() === 0 };
}
