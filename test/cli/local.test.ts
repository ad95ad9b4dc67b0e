import { createServer, type Server } from 'node:http';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LocalHost, LocalProcess } from '../../src/cli/local-host.ts';
import { fail } from '../../src/domain/failure.ts';
import { until } from '../http/rig.ts';
import { call, Captured, envFor, goodBuild, makeFolder, sendJson, startFakeApi } from './rig-api.ts';

const foundation = {
  redisUrl: 'redis://:secret@h:1',
  isRedisPrivate: true,
  engineHost: 'unix:///e.sock',
  engineVersion: '20.10',
  isEnginePrivate: false,
  packageSeconds: 0,
};

/** A machine whose API is a fake server that starts to answer when the processes are started. */
async function makeMachine(overrides: Partial<LocalHost> = {}) {
  const dataDir = join(await makeFolder(), '.slipway');
  await mkdir(dataDir);
  const logFile = join(dataDir, 'api.log');
  await writeFile(logFile, 'from an earlier time\n');
  const api = await startFakeApi({
    ...goodBuild(),
    'GET /readyz': (_, response) => sendJson(response, { status: 'ready', checks: {} }),
    'GET /api/v1/workers': (_, response) =>
      sendJson(response, { value: [{ name: 'w1', engine: { ok: true, version: '20.10' } }] }),
  });
  const done: string[] = [];
  let running: LocalProcess[] = [];
  const host: LocalHost = {
    prepare: async (_, say) => {
      done.push('prepare');
      say('Starting a private Redis …');
      return foundation;
    },
    startProcesses: async () => {
      const isNew = running.length === 0;
      done.push('start');
      await writeFile(join(dataDir, 'admin.json'), JSON.stringify({ username: 'admin', password: 'pw' }));
      running = [{ role: 'api', pid: 1, logFile, isNew }];
      return running;
    },
    listProcesses: () => running,
    recall: () => undefined,
    stop: async (_, purge) => {
      done.push(purge ? 'purge' : 'stop');
      const stopped = running.map(({ role }) => role);
      running = [];
      return { stopped, removed: purge ? [dataDir] : [] };
    },
    startRun: async () => {
      throw new Error('no run is started here');
    },
    inspect: async () => [{ name: 'Redis', status: 'ok', detail: '7.0' }],
    checkRegistry: async function* () {
      yield* [];
    },
    openKeys: async () => {
      throw new Error('no key is asked for here');
    },
    openShowcase: () => ({
      ensureBase: async () => ({ image: 'node:20-alpine', how: 'on the engine already' }),
      runFromRegistry: async (image) => {
        done.push(`run ${image}`);
        return { answer: '{"message":"Hello"}', pullSeconds: 0.1 };
      },
      close: () => void done.push('close'),
    }),
    ...overrides,
  };
  const env = { SLIPWAY_DATA: dataDir, SLIPWAY_URL: api.url, SLIPWAY_PORT: '0' };
  const stopRunning = (): void => void (running = []);
  return { api, env, done, logFile, stopRunning, wiring: { host: async () => host } };
}

describe('slipway up', () => {
  it('starts everything, waits for a worker, and says where it is', async () => {
    const { api, env, wiring, done } = await makeMachine();
    const { code, stdout, stderr } = await call(['up', '--detach'], { env, wiring });
    expect(code).toBe(0);
    expect(done).toEqual(['prepare', 'start']);
    expect(stdout).toContain(`Slipway is up.\n  API       ${api.url}\n`);
    expect(stdout).toContain('slipway login --show prints its password');
    expect(stderr).toContain('Starting a private Redis …');
    const again = await call(['up', '--detach', '--json'], { env, wiring });
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({
      url: api.url,
      username: 'admin',
      foundation: { engineVersion: '20.10' },
    });
    expect(again.stdout).not.toContain('secret');
  });

  it('shows the logs in the foreground until Ctrl-C, then stops all of it', async () => {
    const { env, wiring, done, logFile } = await makeMachine();
    let press: () => void = () => undefined;
    const outputs = { stdout: new Captured(false), stderr: new Captured(false) };
    const running = call(['up'], { env, wiring, outputs, onListening: (listener) => (press = listener) });
    const line = { level: 40, time: Date.parse('2026-11-21T09:00:00Z'), pid: 1, msg: 'slow', runId: 'ca1' };
    await until(() => outputs.stderr.text.includes('Ctrl-C stops it.'));
    await appendFile(logFile, `${JSON.stringify(line)}\nplain\n`);
    await until(() => outputs.stdout.text.includes('plain'));
    press();
    const { code, stdout } = await running;
    expect(code).toBe(0);
    expect(stdout).toContain('api | 09:00:00 warn  slow runId=ca1\napi | plain\n');
    expect(stdout).not.toContain('from an earlier time');
    expect(done).toEqual(['prepare', 'start', 'stop']);
  });

  it('stops the rest and exits with 1 when a process ends by itself', async () => {
    const { env, wiring, done, stopRunning } = await makeMachine();
    const outputs = { stdout: new Captured(false), stderr: new Captured(false) };
    const running = call(['up'], { env, wiring, outputs });
    await until(() => outputs.stderr.text.includes('Ctrl-C stops it.'));
    stopRunning();
    const { code, stderr } = await running;
    expect(code).toBe(1);
    expect(stderr).toContain('The process api ended by itself:\nfrom an earlier time');
    expect(done.at(-1)).toBe('stop');
  });

  it('says what is missing with the exit code of its reason', async () => {
    const hint = 'On Debian or Ubuntu: sudo apt-get install redis-server';
    const prepare = (): Promise<never> =>
      Promise.reject(fail('redis-unavailable', 'redis-server is not installed', { hint }));
    const { env, wiring } = await makeMachine({ prepare });
    const { code, stderr } = await call(['up', '-d'], { env, wiring });
    expect(code).toBe(4);
    expect(stderr).toContain(`error: redis-server is not installed\nhint: ${hint}\n`);
  });

  it('refuses a port that another program uses, before anything is started', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { env, wiring, done } = await makeMachine();
    const { code, stderr } = await call(['up', '-d'], { env: { ...env, SLIPWAY_PORT: String(port) }, wiring });
    await new Promise((resolve) => other.close(resolve));
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} is used by another program`);
    expect(done).toEqual([]);
  });

  it('shows the end of the log of a process that does not come up', async () => {
    const { api, env, wiring, stopRunning } = await makeMachine();
    api.handlers['GET /readyz'] = (_, response) => {
      stopRunning();
      sendJson(response, {}, 503);
    };
    const { code, stderr } = await call(['up', '-d'], { env, wiring });
    expect(code).toBe(1);
    expect(stderr).toContain('the process api ended while it started:\nfrom an earlier time');
  });
});

describe('slipway down', () => {
  it('says what was stopped and removed', async () => {
    const { env, wiring, done } = await makeMachine();
    expect((await call(['down'], { env, wiring })).stdout).toBe('Nothing was running.\n');
    await call(['up', '-d'], { env, wiring });
    const { code, stdout } = await call(['down', '--purge', '--json'], { env, wiring });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ dataDir: env.SLIPWAY_DATA, stopped: ['api'], removed: [env.SLIPWAY_DATA] });
    expect(done.at(-1)).toBe('purge');
  });
});

describe('slipway doctor', () => {
  it('shows what was found and the configuration without its secrets', async () => {
    const { env, wiring } = await makeMachine();
    const secret = {
      REDIS_URL: 'redis://user:hush@h:1',
      SLIPWAY_KEY: 'hush',
      SLIPWAY_USERNAME: 'u',
      SLIPWAY_PASSWORD: 'hush',
      SLIPWAY_AZURE_TENANT_ID: 't',
      SLIPWAY_AZURE_CLIENT_ID: 'c',
      SLIPWAY_AZURE_CLIENT_SECRET: 'hush',
      SLIPWAY_VAULT_ADDR: 'https://vault:8200',
      SLIPWAY_VAULT_ROLE_ID: 'r',
      SLIPWAY_VAULT_SECRET_ID: 'hush',
    };
    const { code, stdout } = await call(['doctor'], { env: { ...env, ...secret }, wiring });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}Redis +7\.0$/m);
    expect(stdout).toMatch(/^\* REDIS_URL +redis:\/\/user:\*{8}@h:1$/m);
    expect(stdout).toMatch(/^\* SLIPWAY_VAULT_SECRET_ID +\*{8}$/m);
    expect(stdout).not.toContain('hush');
  });

  it('exits with 1 when something would keep Slipway from working, and says what to do', async () => {
    const inspect = async () => [{ name: 'Redis', status: 'fail', detail: 'none', hint: 'start one' } as const];
    const { env, wiring } = await makeMachine({ inspect });
    const { code, stdout } = await call(['doctor'], { env, wiring });
    expect(code).toBe(1);
    expect(stdout).toContain('FAIL  Redis           none\n');
    expect(stdout).toContain('→ start one');
    const json = await call(['doctor', '--json'], { env, wiring });
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      findings: [{ name: 'Redis', hint: 'start one' }, {}, {}, {}],
    });
  });
});

describe('slipway quickstart', () => {
  it('starts, builds the example, runs it from the registry, and says what to try next', async () => {
    const { api, env, wiring, done } = await makeMachine();
    const { code, stdout } = await call(['quickstart', '--brief'], { env, wiring });
    expect(code).toBe(0);
    expect(done).toEqual(['prepare', 'start', 'run localhost:5080/app:v1', 'close']);
    expect(stdout).toContain('Run ID: ca1 was successful');
    expect(stdout).toContain('It answers: {"message":"Hello"}');
    expect(stdout).toMatch(/Done in \d+\.\d s\./);
    expect(stdout).toContain('Stop it: slipway down');
    const [scheduled] = api.of('POST /api/v1/scheduleRun');
    expect(JSON.parse(scheduled!.body.toString())).toMatchObject({
      imageNames: ['hello-node:1.0.0'],
      arguments: [{ name: 'BASE', value: 'node:20-alpine' }],
    });
    const json = await call(['quickstart', '--brief', '--json'], { env, wiring });
    expect(JSON.parse(json.stdout)).toMatchObject({ runId: 'ca1', answer: '{"message":"Hello"}' });
  });

  it('exits with 1 when the example cannot be built', async () => {
    const { api, env, wiring } = await makeMachine();
    api.handlers['GET /api/v1/runs/ca1'] = (_, response) =>
      sendJson(response, {
        properties: { runId: 'ca1', status: 'Failed', runType: 'QuickBuild', createTime: '2026-11-21T09:00:00Z' },
      });
    const { code, stderr } = await call(['quickstart'], { env, wiring });
    expect(code).toBe(1);
    expect(stderr).toContain('error: the build of the example ended as Failed\nhint: slipway runs logs ca1');
  });

  it('speaks to this machine even when SLIPWAY_SERVER names another', async () => {
    const { env, wiring } = await makeMachine();
    const { code } = await call(['quickstart', '--brief'], {
      env: { ...env, ...envFor('http://127.0.0.1:9') },
      wiring,
    });
    expect(code).toBe(0);
  });
});
