import { homedir } from 'node:os';
import { probeEngine } from '../../src/host/engine-probe.ts';
import { usualSockets } from '../../src/host/engine.ts';
import { ensureStandIns } from '../rig/stand-ins.ts';

/** Before the tests of the project `docker`: the images that they build on. vitest calls what it gives afterwards. */
export default async function setUp(): Promise<() => Promise<void>> {
  const given = process.env['DOCKER_HOST'];
  for (const host of given === undefined ? usualSockets(homedir(), process.env['XDG_RUNTIME_DIR']) : [given]) {
    if ((await probeEngine(host)).ok) return ensureStandIns(host);
  }
  throw new Error('no container engine answers; npm test starts one');
}
