import { describe, expect, it } from 'vitest';
import type { CmdStep } from '../../src/domain/step.ts';
import { createCmdRig, shell, succeeded, written } from '../runner/cmd-rig.ts';

const rig = createCmdRig();

describe('a cmd step that wants out of its container', () => {
  it.each<[string, Partial<CmdStep>]>([
    ['privileged', { privileged: true }],
    ['the network of the host', { network: 'host' }],
    ['the network of another container', { network: 'container:other' }],
    ['a network nobody declared', { network: 'unknown' }],
    ['a driver of the engine where no socket can be', { usesEngine: true }],
    ...['cap-add', 'device', 'pid', 'ipc', 'uts', 'userns', 'oom-kill-disable', 'volumes-from', 'cgroup-parent'].map(
      (name): [string, Partial<CmdStep>] => [`--${name}`, { options: [{ name, value: 'host' }] }],
    ),
    ['a bind mount', { options: [{ name: 'mount', value: 'type=bind,source=/,target=/host' }] }],
    ['no seccomp', { options: [{ name: 'security-opt', value: 'seccomp=unconfined' }] }],
    ['a setting of the machine', { options: [{ name: 'sysctl', value: 'kernel.core_pattern=x' }] }],
    ['a negative oom score', { options: [{ name: 'oom-score-adj', value: '-1000' }] }],
    ['a bad size', { memory: 'much' }],
    ['a bad port', { ports: ['http'] }],
  ])('is refused: %s', async (_, given) => {
    const done = await rig.runOne(shell('out', 'true', given));
    expect(done.outcome).toMatchObject({ kind: 'failed' });
    expect(done.outcome).not.toHaveProperty('exitCode');
    expect((await rig.remains()).containers).toBe(0);
  });

  it('may, where the operator allows it', async () => {
    rig.configure({ allowPrivileged: true });
    const { outcome } = await rig.runOne(shell('allowed', 'test ! -S /var/run/docker.sock', { network: 'host' }));
    expect(outcome).toEqual(succeeded);
  });

  it('has neither raw packets nor device files', async () => {
    const done = await rig.runOne(shell('rights', 'cat /proc/self/status'));
    const rights = BigInt(`0x${/CapBnd:\s*([0-9a-f]+)/.exec(written(done).join('\n'))?.[1] ?? 'f'}`);
    expect(rights & ((1n << 13n) | (1n << 27n))).toBe(0n);
  });
});

describe('flags of docker run', () => {
  it('that stay inside the container are honoured', async () => {
    const options = [
      { name: 'hostname', value: 'box' },
      { name: 'add-host', value: 'friend:10.1.2.3' },
      { name: 'tmpfs', value: '/scratch:size=1m' },
      { name: 'shm-size', value: '8m' },
      { name: 'ulimit', value: 'nofile=77:99' },
      { name: 'label', value: 'slipway.run=forged' },
    ];
    const done = await rig.runOne(shell('flags', 'cat /etc/hostname /etc/hosts /proc/mounts; ulimit -n', { options }));
    const text = written(done).join('\n');
    expect(text).toMatch(/^box\n/);
    expect(text).toContain('10.1.2.3\tfriend');
    expect(text).toMatch(/tmpfs \/scratch .*size=1024k/);
    expect(text).toMatch(/\/dev\/shm .*size=8192k/);
    expect(text).toMatch(/\n77$/);
    expect((await rig.remains()).containers).toBeLessThanOrEqual(1);
  });

  it('publish ports on this machine alone', async () => {
    const step = shell('server', 'sleep 60', { detach: true, ports: ['8080', '127.0.0.1::9090/udp'] });
    const run = await rig.prepare([step]);
    expect((await rig.runOn(run, step)).outcome).toEqual(succeeded);
    const filters = JSON.stringify({ label: [`slipway.installation=${rig.installation}`] });
    const [container] = (await rig.engine.json({ method: 'GET', path: '/containers/json', query: { filters } })) as {
      Ports: { IP?: string; PrivatePort: number; Type: string }[];
    }[];
    const ports = container?.Ports.map(({ IP, PrivatePort, Type }) => `${IP ?? ''} ${PrivatePort}/${Type}`).sort();
    expect(ports).toEqual(['127.0.0.1 8080/tcp', '127.0.0.1 9090/udp']);
  });
});
