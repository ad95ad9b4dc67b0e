import { suggest } from '../../domain/nearest.ts';
import type { VolumeMount } from '../../domain/step.ts';
import type { TaskScope } from './scope.ts';

const socket = '/var/run/docker.sock';

/**
 * What `-v SOURCE:PATH` in a cmd means: a volume that the task declares, or the engine's socket, which a step has by way of its run's own
 * engine. Another name is a volume of the run, made when it is first used. Paths of the host are refused.
 */
export function volumeOfFlag(
  text: string,
  at: number,
  { report, volumeNames }: TaskScope,
): VolumeMount | 'engine' | undefined {
  const [source = '', path] = text.split(':');
  if (source === socket || source === '/run/docker.sock') return 'engine';
  if (path === undefined) {
    report.warn(at, 'flag', `-v ${text.slice(0, 60)} makes a volume of its own, which ends with the step`);
    return undefined;
  }
  if (volumeNames.includes(source)) return { volume: source, path };
  if (/^[./~]/.test(source)) {
    const hint = 'the workspace is at /workspace in every step; files with secrets come with "volumes"';
    report.error(
      at,
      'flag',
      `-v ${text.slice(0, 60)} would mount a path of the machine that runs the containers`,
      hint,
    );
    return undefined;
  }
  report.warn(at, 'flag', `volume "${source.slice(0, 60)}" is made for this run alone`, suggest(source, volumeNames));
  return { volume: source, path };
}
