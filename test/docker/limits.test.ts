import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBuildStep, createCmdStep } from '../../src/domain/step-defaults.ts';
import { usualRunLimits } from '../../src/domain/run-limits.ts';
import { createCmdRig, needs, network, shell, succeeded, written } from '../runner/cmd-rig.ts';
import { aContext } from '../runner/rig.ts';
import { dockerStandIn } from '../rig/stand-ins.ts';

const rig = createCmdRig();

const mebibyte = 1024 * 1024;
const limits = { ...usualRunLimits, memoryBytes: 256 * mebibyte, pids: 400 };

/** Says what the kernel holds the container to: cgroups of the first and of the second kind. */
const read = (first: string, second: string): string =>
  `cat /sys/fs/cgroup/${first} 2>/dev/null || cat /sys/fs/cgroup/${second}`;
const readMemory = read('memory/memory.limit_in_bytes', 'memory.max');
const readPids = read('pids/pids.max', 'pids.max');
const readCpus = `${read('cpu/cpu.cfs_quota_us', 'cpu.max')} | cut -d ' ' -f 1`;

describe('what a run may have', () => {
  it('is what the kernel holds a step to that has the run for itself', async () => {
    rig.configure({ limits });
    const done = await rig.runOne(shell('a', `${readMemory}; ${readPids}`));
    expect(written(done)).toEqual([String(256 * mebibyte), '400']);
  });

  it('is shared by steps that may be side by side, and goes to those first that ask for some of it', async () => {
    rig.configure({ limits });
    const steps = [
      shell('a', `${readMemory}; ${readPids}`, { memory: '56m' }),
      shell('b', readMemory),
      shell('c', readMemory),
      shell('d', readMemory, { needs: needs('a', 'b', 'c') }),
    ];
    const run = await rig.prepare(steps);
    const done = await Promise.all(steps.map((step) => rig.runOn(run, step)));
    const told = done.map((one) => written(one).map(Number));
    expect(told).toEqual([[56 * mebibyte, 133], [100 * mebibyte], [100 * mebibyte], [256 * mebibyte]]);
  });

  it('is nine tenths of the memory of the engine where nobody says anything', async () => {
    const info = (await rig.engine.json({ method: 'GET', path: '/info' })) as { MemTotal: number };
    const [told] = written(await rig.runOne(shell('a', readMemory)));
    expect(Math.abs(Number(told) - info.MemTotal * 0.9)).toBeLessThan(2 * 4096);
  });

  it('is refused before anything starts to a step that asks for more', async () => {
    rig.configure({ limits });
    const message = /step b asks for 1 GiB \(memory\), and a run may have 256 MiB here; .*SLIPWAY_RUN_MEMORY/;
    await expect(rig.prepare([shell('a', 'true'), shell('b', 'true', { memory: '1g' })])).rejects.toThrow(message);
    expect(await rig.remains()).toEqual({ containers: 0, networks: 0, volumes: 0 });
  });

  it('ends a program that takes more memory, and says what the limit was and what to do', async () => {
    rig.configure({ limits: { ...limits, memoryBytes: 48 * mebibyte } });
    const { outcome } = await rig.runOne(shell('hog', 'head -c 400m /dev/zero | tail'));
    expect(outcome).toMatchObject({ kind: 'failed', exitCode: 137 });
    expect(outcome).toMatchObject({
      message: expect.stringMatching(/limit 48 MiB.*\(?memory\)?.*SLIPWAY_RUN_MEMORY/) as unknown,
    });
  });

  it('keeps a program that begets others without end from all but its own processes', async () => {
    rig.configure({ limits: { ...limits, pids: 64 } });
    const bomb = 'n=0; while [ $n -lt 300 ]; do sleep 5 & n=$((n+1)); done; echo never';
    const done = await rig.runOne(shell('bomb', bomb));
    expect(done.outcome.kind).toBe('failed');
    expect(written(done).join('\n')).toContain("can't fork");
  });
});

describe('the processors of a run', () => {
  const waiting = `until [ "$(${readCpus})" = WANTED ]; do sleep 0.1; done; echo saw WANTED`;
  const wait = (wanted: number): string => waiting.replaceAll('WANTED', String(wanted));

  it('are shared anew whenever a step starts or ends', async () => {
    const short = shell('short', `${wait(40_000)}; sleep 1`);
    const long = shell('long', `${wait(40_000)}; ${wait(80_000)}`);
    const run = await rig.prepare([short, long], {}, { cpus: 0.8 });
    const done = await Promise.all([rig.runOn(run, short), rig.runOn(run, long)]);
    expect(done.map(({ outcome }) => outcome)).toEqual([succeeded, succeeded]);
  });

  it('are left alone by a step that needs less', async () => {
    const small = shell('small', `${readCpus}; sleep 2`, { cpus: '0.2' });
    const other = shell('other', wait(60_000));
    const run = await rig.prepare([small, other], {}, { cpus: 0.8 });
    const done = await Promise.all([rig.runOn(run, small), rig.runOn(run, other)]);
    expect(done.map((one) => written(one))).toEqual([['20000'], ['saw 60000']]);
  });

  it('are no more than the engine has, however many a run asks for', async () => {
    expect((await rig.runOne(shell('a', 'true'), {}, { cpus: 1000 })).outcome).toEqual(succeeded);
  });
});

describe('a build', () => {
  const context = () =>
    aContext({ Dockerfile: `FROM busybox:latest\nRUN ${readMemory}; ${readCpus}; echo ${Date.now()}\n` });
  const build = createBuildStep('build', { noCache: true, memory: '64m' });

  it('by the classic builder is held to the limits of its step', async () => {
    rig.configure({ limits, builder: 'classic' });
    const run = await rig.prepare([build], {}, { context: context(), cpus: 0.8 });
    const { io, outcome } = await rig.runOn(run, build);
    expect(outcome.kind).toBe('succeeded');
    expect(io.text()).toContain(`${64 * mebibyte}`);
    expect(io.text()).toContain('80000');
  });

  it('by BuildKit is not, and says so when the step asks for it', async () => {
    rig.configure({ limits });
    const run = await rig.prepare([build], {}, { context: context() });
    expect((await rig.runOn(run, build)).io.text()).toContain('warning: BuildKit does not limit');
  });
});

describe('containers that a step makes by the engine socket', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'limits-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('have no more than the step itself, whatever they ask for', async () => {
    rig.configure({ limits, socketDirectory: directory, images: { docker: dockerStandIn } });
    const inner = `${readMemory}; ${readPids}; ${readCpus}`;
    const text = [
      `docker run --rm busybox:latest sh -c '${inner.replaceAll("'", '"')}'`,
      `docker run --rm --memory 20m --pids-limit 30 busybox:latest sh -c '${readMemory}; ${readPids}'`,
      `docker run --rm --memory 2g --pids-limit 5000 busybox:latest sh -c '${readMemory}; ${readPids}'`,
    ];
    const base = { agentImage: 'docker', usesEngine: true, entryPoint: 'sh', arguments: ['-ec', text.join('\n')] };
    const step = createCmdStep('drive', 'docker', base);
    const run = await rig.prepare([step], { networks: [network] }, { cpus: 0.8 });
    const done = await rig.runOn(run, step);
    const [memory, pids] = [String(256 * mebibyte), '400'];
    // The step's own container waits meanwhile, and has the other half of the processors.
    expect(written(done)).toEqual([memory, pids, '40000', String(20 * mebibyte), '30', memory, pids]);
  });
});
