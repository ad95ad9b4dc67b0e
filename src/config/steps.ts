import { join, resolve } from 'node:path';
import type { RunLimits } from '../domain/run-limits.ts';
import { readRunLimits } from './limits.ts';
import type { Reader } from './reader.ts';

/** Containers of steps. */
export interface StepSettings {
  /** Steps may have what reaches into the machine that runs the containers. */
  readonly allowPrivileged: boolean;
  /** What one run may have of the engine. */
  readonly limits: RunLimits;
  /** Real images for the bare names of the original's machines. */
  readonly images: Readonly<Record<string, string>>;
  /** For the engine sockets of runs; must have the same path on the engine's machine. */
  readonly socketDirectory: string;
}

/** `name=image` pairs over the defaults: the small image of the engine's client, and public `bash` under its own name. */
function readImages(reader: Reader): Readonly<Record<string, string>> {
  const images: Record<string, string> = { docker: 'docker:cli' };
  for (const pair of reader.list('SLIPWAY_IMAGES')) {
    const [, name, image] = /^([a-z0-9-]+)=(\S+)$/.exec(pair) ?? [];
    if (name === undefined || image === undefined)
      reader.faults.push(`SLIPWAY_IMAGES must be name=image, not "${pair}"`);
    else images[name] = image;
  }
  return images;
}

/** What containers of steps may and have. */
export function readSteps(reader: Reader, dataDir: string): StepSettings {
  return {
    allowPrivileged: reader.flag('SLIPWAY_ALLOW_PRIVILEGED', false),
    limits: readRunLimits(reader),
    images: readImages(reader),
    socketDirectory: resolve(reader.text('SLIPWAY_SOCKET_DIR') ?? join(dataDir, 'sockets')),
  };
}
