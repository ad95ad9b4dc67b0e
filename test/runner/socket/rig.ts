import type { ContainerWorld } from '../../../src/runner/docker/socket/world.ts';
import { missing, refuse } from '../../../src/runner/docker/socket/refusal.ts';

export const labels = { 'slipway.installation': 'i', 'slipway.run': 'ca1', 'slipway.step': '' };

const own: Readonly<Record<string, string>> = { db: 'a'.repeat(64) };

/** A run with a container `db`, a network `inner`, a workspace and a socket. */
export function aWorld(change: Partial<ContainerWorld> = {}): ContainerWorld {
  const volume = (name: string): { Type: string; Source: string; VolumeOptions: object } => ({
    Type: 'volume',
    Source: name,
    VolumeOptions: { NoCopy: true },
  });
  return {
    labels,
    limits: { memoryBytes: undefined, pids: 4096, nanoCpus: undefined },
    hasSubpath: false,
    socketPath: '/sockets/own',
    shared: new Map([
      ['/workspace', volume('run-workspace')],
      ['/acb/home', volume('run-home')],
    ]),
    volume: (name) => ({ name: `run-${name}`, labels }),
    container: (name) => {
      const id = Object.hasOwn(own, name) ? own[name] : undefined;
      if (id === undefined) throw missing('container', name);
      return id;
    },
    network: (name) => {
      if (name === 'host') throw refuse('the network of the host', 'why');
      if (name === 'bridge' || name === 'none') return { mode: name, hasNames: false };
      if (name === 'default' || name === 'inner') return { mode: 'run-inner', hasNames: true };
      throw missing('network', name);
    },
    ...change,
  };
}
