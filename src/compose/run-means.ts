import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createEgress } from '../egress/egress.ts';
import { hostTimer } from '../engine/policy/timeout.ts';
import { contextKey } from '../http/options.ts';
import type { Installation } from '../installation.ts';
import { connectEngine, createDockerRunner } from '../runner/docker/index.ts';
import { keysOf } from '../secret/key-ring.ts';
import { labelInstallation } from '../secret/key.ts';
import { issueRunCredential } from '../secret/run-credential.ts';
import { createSigner } from '../secret/sign.ts';
import { createArchiveFilter } from '../source/filter-archive.ts';
import { createContextOpener } from '../source/open-context.ts';
import { openRequestSecrets } from '../trigger/sealed-secrets.ts';
import { createScanKeeper } from './scan-reports.ts';
import { createPlanKeeper } from '../worker/plan-keeper.ts';
import type { RunWorkerOptions } from '../worker/run-worker.ts';
import { openSecretSources } from '../worker/secret-sources.ts';

/** Where this process reaches our registry: as it is told, else at the API where that has the registry's name. */
function findRegistry({ patching, url, registryHost }: Config): { readonly registryUrl?: string } {
  const { origin, host } = new URL(url);
  const registryUrl = patching.registryUrl ?? (host === registryHost ? origin : undefined);
  return registryUrl === undefined ? {} : { registryUrl };
}

/** Connects the engine of this process, and makes a runner on it. `tempRoot` is where contexts are fetched to. */
async function openRunner({ config, key, clock, logger }: Installation) {
  const tempRoot = join(config.dataDir, 'work');
  await mkdir(tempRoot, { recursive: true });
  const engine = connectEngine({ host: config.engineHost ?? 'unix:///var/run/docker.sock' });
  const runner = createDockerRunner({
    engine,
    installation: await labelInstallation(config.name, config.dataDir, keysOf(key)),
    registryHost: config.registryHost,
    ...findRegistry(config),
    clock,
    logger,
    packIgnored: createArchiveFilter(tempRoot),
    ...config.steps,
    labelsBases: config.patching.labelsBases,
  });
  return { tempRoot, engine, runner };
}

/** What runs are done with in this process: its engine, and everything that a run reads, asks for or is given. */
export async function openRunMeans(installation: Installation) {
  const { config, key, clock, logger, storage, store, archive } = installation;
  const { tempRoot, engine, runner } = await openRunner(installation);
  const signer = createSigner(key, 'run');
  const egress = createEgress({ allow: config.egressAllow });
  const secrets = openSecretSources({ ...config, key, store: store.secrets });
  const limits = { ...config.context, maxBytes: config.upload.maxBytes };
  const uploads = { open: async (path: string) => (await storage.read(contextKey(path)))?.stream };
  const means = {
    ...{
      store,
      baseImages: store.baseImages,
      runner,
      registryHost: config.registryHost,
      clock,
      logger,
      timer: hostTimer,
      random: Math.random,
    },
    resolveSecret: (source, signal) => secrets.resolve(source, signal),
    openSecrets: (sealed) => openRequestSecrets(key, sealed),
    issueCredential: ({ runId, attempt, request }) =>
      issueRunCredential(signer, clock, { runId, attempt, timeoutSeconds: request.timeout }),
    openContext: createContextOpener({
      ...{ egress, tempRoot, limits, uploads, git: config.git },
      ownRegistry: { host: config.registryHost, url: config.patching.registryUrl ?? config.url },
    }),
    fetchText: (url, signal) => egress.fetchText(url, { signal, field: 'alias.src' }),
    plans: createPlanKeeper(store.runs, key),
    loadArchived: (id) => archive.load(id),
    listWorkers: () => store.workers.list(),
    readEngine: () => engine.read(),
    images: config.steps.images,
    keepScan: createScanKeeper(installation),
  } satisfies Partial<RunWorkerOptions>;
  return { tempRoot, engine, runner, means };
}
