import { mkdtempSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from './product.mjs';

/** Programs that tests use, and the Debian package of each. */
const programs = {
  git: 'git',
  busybox: 'busybox-static',
  'redis-server': 'redis-server',
  dockerd: 'docker.io',
  docker: 'docker.io',
  'docker-compose': 'docker-compose',
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  podman: 'podman',
  buildah: 'buildah',
  radosgw: 'radosgw',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
};

async function installPrograms(tools) {
  const { installPackages } = await load('host/packages');
  const missing = () => Object.keys(programs).filter((program) => tools.commands.find(program) === undefined);
  const packages = () => [...new Set([...missing().map((program) => programs[program]), 'ca-certificates'])];
  if (missing().length === 0) return;
  const wanted = packages();
  if (!tools.isRoot || tools.commands.find('apt-get') === undefined) {
    console.log(
      `Missing: ${missing().join(', ')}. As root: apt-get install -y --no-install-recommends ${wanted.join(' ')}`,
    );
    return;
  }
  console.log(`Installing the Debian packages ${wanted.join(', ')} …`);
  const fault = await installPackages(tools, wanted);
  // From Debian 13 on the engine's package no longer brings its client.
  if (tools.commands.find('docker') === undefined) await installPackages(tools, ['docker-cli']);
  if (missing().length > 0) console.log(`Still missing: ${missing().join(', ')}${fault}`);
}

/**
 * Makes the machine ready for every test: programs and a container engine.
 * @returns {Promise<{env: Record<string, string>, restore: () => Promise<void>}>} the environment of the tests, and the
 * end of all that was started.
 */
export async function prepareMachine() {
  const [{ createHostTools }, { ensureEngine, usualSockets }, { privateEngineHost }, { stopHost }] = await Promise.all(
    ['host/tools', 'host/engine', 'host/private-engine', 'host/stop'].map(load),
  );
  const tools = createHostTools((line) => console.log(line));
  await installPrograms(tools);
  const dataDir = mkdtempSync(join(tmpdir(), 'slipway-test-'));
  // One that "npm run quickstart" has started goes on in the background, and a second one beside it would break its network.
  const running = privateEngineHost(process.env.SLIPWAY_DATA ?? join(homedir(), '.slipway'));
  const usual = [...usualSockets(homedir(), process.env.XDG_RUNTIME_DIR), running];
  const purge = () => stopHost(tools, { dataDir, purge: true });
  try {
    const engine = await ensureEngine(tools, { host: process.env.DOCKER_HOST, usual, dataDir, install: true });
    console.log(`Container engine ${engine.facts.version} at ${engine.host}.`);
    const isUsual = !engine.isPrivate && engine.host !== running;
    return { env: isUsual ? {} : { DOCKER_HOST: engine.host }, restore: purge };
  } catch (error) {
    await purge();
    throw error;
  }
}
