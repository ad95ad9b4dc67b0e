import { fail } from '../domain/failure.ts';

/**
 * The task file for one command: `IMAGE arguments…`, aliases and templates in it as in any task file. The command is a block scalar, so
 * that none of its characters means anything to YAML. It runs in the image's own working directory.
 * @param timeoutSeconds of the step; undefined: the language's default.
 */
export function createOneStepTask(cmd: string, timeoutSeconds?: number): string {
  const command = cmd.trim();
  if (command === '') {
    const hint = "for example --cmd 'busybox echo hello'";
    throw fail('invalid-request', '--cmd must name an image', { field: '--cmd', hint });
  }
  return [
    'version: v1.1.0',
    'steps:',
    '  - cmd: |-',
    ...command.split(/\r?\n/).map((line) => `      ${line}`),
    '    disableWorkingDirectoryOverride: true',
    ...(timeoutSeconds === undefined ? [] : [`    timeout: ${timeoutSeconds}`]),
    '',
  ].join('\n');
}
