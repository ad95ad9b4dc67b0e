import type { CommandResult, Commands } from '../../src/host/commands.ts';
import type { HostTools } from '../../src/host/tools.ts';

/** Host tools whose programs are scripted: what is installed, what a call answers, and what was called and said. */
export function createFakeTools({
  isRoot = false,
  installed = [],
  answer = () => ({}),
}: {
  readonly isRoot?: boolean;
  readonly installed?: readonly string[];
  /** May add to the set: what a package manager brings. */
  readonly answer?: (line: string, programs: Set<string>) => Partial<CommandResult>;
}): HostTools & { readonly calls: string[]; readonly said: string[] } {
  const [calls, said, programs] = [[] as string[], [] as string[], new Set(installed)];
  const commands: Commands = {
    find: (program) => (programs.has(program) ? `/usr/bin/${program}` : undefined),
    run: (program, args) => {
      const line = [program, ...args].join(' ');
      calls.push(line);
      return Promise.resolve({ code: 0, stdout: '', stderr: '', ...answer(line, programs) });
    },
  };
  return { commands, isRoot, say: (line) => said.push(line), calls, said };
}
