import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createEgress } from '../src/egress/egress.ts';
import { hostTimer } from '../src/engine/policy/timeout.ts';
import { contextKey } from '../src/http/options.ts';
import { closeOnSignal, openInstallation } from '../src/installation.ts';
import { createBullConsumer } from '../src/queue/bullmq/run-consumer.ts';
import { connectEngine, createDockerRunner } from '../src/runner/docker/index.ts';
import { labelInstallation } from '../src/secret/key.ts';
import { issueRunCredential } from '../src/secret/run-credential.ts';
import { createSigner } from '../src/secret/sign.ts';
import { createArchiveFilter } from '../src/source/filter-archive.ts';
import { createContextOpener } from '../src/source/open-context.ts';
import { openRequestSecrets } from '../src/trigger/sealed-secrets.ts';
import { startCleanUp } from '../src/worker/clean-up.ts';
import { startRunWorker } from '../src/worker/run-worker.ts';

const installation = await openInstallation('run-worker');
const { config, logger, clock, key, storage, store, archive, bull } = installation;
const { registryHost, worker: settings } = config;
const name = `${settings.name}-${process.pid}`;
const tempRoot = join(config.dataDir, 'work');
await mkdir(tempRoot, { recursive: true });
const engine = connectEngine({ host: config.engineHost ?? 'unix:///var/run/docker.sock' });
const packIgnored = createArchiveFilter(tempRoot);
const runner = createDockerRunner({
  engine,
  installation: labelInstallation(config.name, key),
  registryHost,
  clock,
  logger,
  packIgnored,
});
const signer = createSigner(key, 'run');
const egress = createEgress({ allow: config.egressAllow });
const limits = { ...config.context, maxBytes: config.upload.maxBytes };
const uploads = { open: async (path: string) => (await storage.read(contextKey(path)))?.stream };

const worker = await startRunWorker({
  ...{
    ...settings,
    name,
    store,
    runner,
    registryHost,
    clock,
    logger,
    timer: hostTimer,
    random: Math.random,
    beatMs: 3000,
  },
  openSecrets: (sealed) => openRequestSecrets(key, sealed),
  issueCredential: ({ runId, attempt, request }) =>
    issueRunCredential(signer, clock, { runId, attempt, timeoutSeconds: request.timeout }),
  openContext: createContextOpener({ egress, tempRoot, limits, uploads, git: config.git }),
  fetchText: (url, signal) => egress.fetchText(url, { signal, field: 'alias.src' }),
  archive: (id) => archive.save(id),
  readEngine: () => engine.read(),
  consume: (options) => createBullConsumer({ ...bull, lockMs: 15_000, stalledCheckMs: 5000, ...options }),
});
const sweepEngine = (liveRuns: ReadonlySet<string>) => runner.sweep({ liveRuns, keepImages: settings.keepImages });
const cleanUp = startCleanUp({ runs: store.runs, directory: tempRoot, sweepEngine, clock, logger });
logger.info({ name, engine: engine.host, concurrency: settings.concurrency }, 'taking runs');
closeOnSignal(logger, async () => {
  const steps = [() => worker.close(), () => cleanUp.close(), () => runner.settle(), () => store.close()];
  for (const close of steps) await close();
  engine.close();
});
