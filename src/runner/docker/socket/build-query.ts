import type { ContainerLimits } from '../limits/applied.ts';
import { limitsQuery } from '../limits/build-limits.ts';
import { capAmounts } from './container-caps.ts';
import { reachesHost, refuse } from './refusal.ts';
import { show } from './fields.ts';

/** Fields of the query of `POST /build` that change nothing outside the build. */
const harmless = new Set(
  (
    't dockerfile q nocache cachefrom pull memory memswap cpushares cpusetcpus cpuperiod cpuquota buildargs shmsize squash labels ' +
    'networkmode platform target ulimits extrahosts buildid rm forcerm'
  ).split(' '),
);

/** Why a field that is not harmless is refused; others have the usual reason. */
const reasons: Readonly<Record<string, string>> = {
  remote: 'let the client read it, or write a build step with this context',
  session: 'only the classic builder can be used inside a step: set DOCKER_BUILDKIT=0, or write a build step',
  version: 'only the classic builder can be used inside a step: set DOCKER_BUILDKIT=0, or write a build step',
  outputs: 'only the classic builder can be used inside a step',
};

const emptyTexts = new Set(['', '0', 'null', '[]', '{}', 'false']);

function isHarmless(name: string, value: string): boolean {
  return harmless.has(name) || emptyTexts.has(value) || (name === 'version' && value === '1');
}

/** What a build's instructions may be on; `network` finds networks of the run and throws for others. */
export interface BuildWorld {
  readonly limits: ContainerLimits;
  readonly network: (name: string) => { readonly mode: string };
  readonly container: (name: string) => string;
}

function networkOf({ network, container }: BuildWorld, name: string): string {
  if (name === '') return '';
  return name.startsWith('container:') ? `container:${container(name.slice('container:'.length))}` : network(name).mode;
}

/** What the containers of a build may have: no more than others that the step makes. */
function capBuild(limits: ContainerLimits, query: URLSearchParams): ContainerLimits {
  const asked = (name: string): number => Number(query.get(name) ?? 0);
  const wanted = { Memory: asked('memory'), CpuQuota: asked('cpuquota'), CpuPeriod: asked('cpuperiod') };
  const { Memory: memory, NanoCpus: nanos } = capAmounts(wanted, limits);
  const { memoryBytes, nanoCpus } = limits;
  return {
    ...limits,
    memoryBytes: memoryBytes === undefined ? undefined : Number(memory),
    nanoCpus: nanoCpus === undefined ? undefined : Number(nanos),
  };
}

/**
 * Makes the query of `POST /build` anew; containers of the build's instructions are always removed.
 * @throws `forbidden` for what reaches beyond the build, and for BuildKit, whose session cannot be looked into.
 */
export function rewriteBuildQuery(world: BuildWorld, query: URLSearchParams): URLSearchParams {
  const read = new URLSearchParams();
  for (const [name, value] of query) {
    if (!isHarmless(name, value)) {
      throw refuse(`the build option "${show(name)}": ${show(value)}`, reasons[name] ?? reachesHost);
    }
    if (!harmless.has(name)) continue;
    read.append(name, name === 'networkmode' ? networkOf(world, value) : value);
  }
  for (const [name, value] of Object.entries(limitsQuery(capBuild(world.limits, read)))) read.set(name, value);
  read.set('rm', '1');
  read.set('forcerm', '1');
  read.set('version', '1');
  return read;
}
