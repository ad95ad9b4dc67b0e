/** All benchmarks, one after the other, as one table: `npm run bench [-- NAME…]` (cached, real, log, steps, plan, registry, registry-small, registry-memory, registry-events, scale, deliveries, patching, campaign, rebase). */
import { usualSockets } from '../src/host/engine.ts';
import { startInstallation } from '../test/rig/installation.ts';
import { callEngine, ensureStandIns } from '../test/rig/stand-ins.ts';
import { benchCampaign } from './campaign.ts';
import { benchDeliveries } from './deliveries.ts';
import { createEngineFloor } from './engine-floor.ts';
import { benchPatching } from './patching.ts';
import { benchCachedBuild, benchLogLatency, benchRealBuild, type Rig } from './quick-build.ts';
import { benchRebase } from './rebase.ts';
import { benchRegistry } from './registry.ts';
import { benchRegistryEvents } from './registry-events.ts';
import { benchRegistryMemory } from './registry-memory.ts';
import { benchRegistrySmall } from './registry-small.ts';
import { benchStore } from './store-scale.ts';
import { benchPlanning, benchSteps } from './task-steps.ts';
import { formatTable, type Row } from './table.ts';

const withSlipway: Readonly<Record<string, (rig: Rig) => Promise<Row[]>>> = {
  cached: (rig) => benchCachedBuild(rig),
  real: (rig) => benchRealBuild(rig),
  log: benchLogLatency,
};

function findHost(): string {
  return process.env['DOCKER_HOST'] ?? usualSockets('/root')[0] ?? '';
}

async function measureSteps(): Promise<Row[]> {
  const removeStandIns = await ensureStandIns(findHost());
  try {
    return await benchSteps(findHost());
  } finally {
    await removeStandIns();
  }
}

async function measureRebase(): Promise<Row[]> {
  const removeStandIns = await ensureStandIns(findHost());
  try {
    return await benchRebase(findHost());
  } finally {
    await removeStandIns();
  }
}

async function measureDeliveries(): Promise<Row[]> {
  const removeStandIns = await ensureStandIns(findHost());
  try {
    return await benchDeliveries(findHost());
  } finally {
    await removeStandIns();
  }
}

async function measureBuilds(names: readonly string[]): Promise<Row[]> {
  const host = findHost();
  const removeStandIns = await ensureStandIns(host);
  const slipway = await startInstallation({ compiled: true, env: { DOCKER_HOST: host, SLIPWAY_LOG_LEVEL: 'warn' } });
  try {
    const rig = { slipway, floor: createEngineFloor(host, slipway.account) };
    const rows: Row[] = [];
    for (const name of names) rows.push(...((await withSlipway[name]?.(rig)) ?? []));
    return rows;
  } finally {
    for (const name of ['bench:v1', 'bench-raw:v1', 'bench-real:v1', 'bench-log:latest']) {
      await callEngine(host, { method: 'DELETE', path: `/images/${slipway.registryHost}/${name}?force=1` });
    }
    await slipway.stop();
    await removeStandIns();
  }
}

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
const builds = Object.keys(withSlipway).filter(isWanted);
const rows = builds.length > 0 ? await measureBuilds(builds) : [];
if (isWanted('steps')) rows.push(...(await measureSteps()));
if (isWanted('plan')) rows.push(...benchPlanning());
if (isWanted('registry')) rows.push(...(await benchRegistry()));
if (isWanted('registry-small')) rows.push(...(await benchRegistrySmall()));
if (isWanted('registry-memory')) rows.push(...(await benchRegistryMemory()));
if (isWanted('registry-events')) rows.push(...(await benchRegistryEvents()));
if (isWanted('deliveries')) rows.push(...(await measureDeliveries()));
if (isWanted('patching')) rows.push(...(await benchPatching()));
if (isWanted('campaign')) rows.push(...(await benchCampaign()));
if (isWanted('rebase')) rows.push(...(await measureRebase()));
if (isWanted('scale')) rows.push(...(await benchStore()));
process.stdout.write(`${formatTable(rows)}\n`);
