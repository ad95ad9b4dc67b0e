import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { contextKey } from '../src/http/options.ts';
import { createEgress } from '../src/egress/egress.ts';
import { hostTimer } from '../src/engine/policy/timeout.ts';
import { closeOnSignal, openInstallation } from '../src/installation.ts';
import { createBullConsumer } from '../src/queue/bullmq/run-consumer.ts';
import { connectEngine, createDockerRunner } from '../src/runner/docker/index.ts';
import { issueRunCredential } from '../src/secret/run-credential.ts';
import { createSigner } from '../src/secret/sign.ts';
import { joinSecret } from '../src/source/location-secret.ts';
import { openContext } from '../src/source/open-context.ts';
import { openRequestSecrets } from '../src/trigger/sealed-secrets.ts';
import { periodically } from '../src/worker/periodically.ts';
import { startRunWorker } from '../src/worker/run-worker.ts';

const installation = await openInstallation('run-worker');
const { config, logger, clock, key, storage, store, archive, redisUrl } = installation;
const name = `${config.worker.name}-${process.pid}`;
const tempRoot = join(config.dataDir, 'work');
await mkdir(tempRoot, { recursive: true });
const engine = connectEngine({ host: config.engineHost ?? 'unix:///var/run/docker.sock' });
const runner = createDockerRunner({
  engine,
  installation: config.name,
  registryHost: config.registryHost,
  clock,
  logger,
});
const egress = createEgress({ allow: config.egressAllow });
const signer = createSigner(key, 'run');
const limits = { ...config.context, maxBytes: config.upload.maxBytes };

const worker = await startRunWorker({
  ...config.worker,
  name,
  store,
  runner,
  registryHost: config.registryHost,
  clock,
  timer: hostTimer,
  logger,
  beatMs: 3000,
  openSecrets: (sealed) => openRequestSecrets(key, sealed),
  issueCredential: ({ runId, attempt, request }) =>
    issueRunCredential(signer, { runId, attempt }, clock.now() + (request.timeout + 600) * 1000),
  openContext: (masked, { secret, signal, dockerfile }) => {
    const { location, token } = joinSecret(masked, secret);
    return openContext(location, {
      egress,
      tempRoot,
      limits,
      git: config.git,
      signal,
      dockerfile,
      ...(token !== undefined && { token }),
      uploads: { open: async (path) => (await storage.read(contextKey(path)))?.stream },
    });
  },
  archive: (id) => archive.save(id),
  pingEngine: async () => {
    await engine.ping();
    return (await engine.version()).version;
  },
  architecture: process.arch === 'x64' ? 'amd64' : process.arch,
  consume: (options) =>
    createBullConsumer({
      url: redisUrl,
      prefix: config.redis.prefix,
      lockMs: 15_000,
      stalledCheckMs: 5000,
      ...options,
    }),
});
const cleaning = periodically(
  10 * 60_000,
  async () => {
    const liveRuns = new Set((await store.runs.listActive()).map((run) => run.runId));
    await runner.sweep({ liveRuns, keepImages: config.worker.keepImages });
  },
  (error) => {
    logger.warn({ err: error }, 'the engine could not be cleaned up');
  },
);
logger.info({ name, engine: engine.host, concurrency: config.worker.concurrency }, 'taking runs');
closeOnSignal(logger, async () => {
  await worker.close();
  await cleaning.close();
  await runner.settle();
  engine.close();
  await store.close();
});
