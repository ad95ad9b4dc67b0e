import { describe, expect, it } from 'vitest';
import { joinParts, readRunOptions } from '../../src/runner/docker/run-options.ts';

const read = (...flags: (readonly [name: string, value?: string | undefined])[]) =>
  readRunOptions(
    flags.map(([name, value]) => ({ name, ...(value !== undefined && { value }) })),
    false,
  );

describe('flags of docker run', () => {
  it.each<[string, string | undefined, object]>([
    ['hostname', 'box', { config: { Hostname: 'box' } }],
    ['add-host', 'a:1.2.3.4', { host: { ExtraHosts: ['a:1.2.3.4'] } }],
    ['tmpfs', '/run:size=1m,mode=700', { host: { Tmpfs: { '/run': 'size=1m,mode=700' } } }],
    ['tmpfs', '/run', { host: { Tmpfs: { '/run': '' } } }],
    ['shm-size', '64m', { host: { ShmSize: 64 * 2 ** 20 } }],
    ['memory-swap', '-1', { host: { MemorySwap: -1 } }],
    ['ulimit', 'nofile=10', { host: { Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 10 }] } }],
    ['read-only', undefined, { host: { ReadonlyRootfs: true } }],
    ['tty', undefined, { config: { Tty: true } }],
    ['name', 'other', { endpoint: { Aliases: ['other'] } }],
    ['ip', '172.30.0.9', { endpoint: { IPAMConfig: { IPv4Address: '172.30.0.9' } } }],
    ['sysctl', 'net.core.somaxconn=9', { host: { Sysctls: { 'net.core.somaxconn': '9' } } }],
    ['security-opt', 'no-new-privileges:true', { host: { SecurityOpt: ['no-new-privileges'] } }],
    ['health-interval', '1m30s', { config: { Healthcheck: { Interval: 90e9 } } }],
    ['no-healthcheck', undefined, { config: { Healthcheck: { Test: ['NONE'] } } }],
  ])('--%s %s is put where the engine looks for it', (name, value, parts) => {
    expect(read([name, value])).toMatchObject(parts);
  });

  it('are all honoured when one is given several times, or several say parts of one thing', () => {
    const parts = read(['dns', '1.1.1.1'], ['dns', '8.8.8.8'], ['health-cmd', 'true'], ['health-retries', '2']);
    expect(parts.host).toEqual({ Dns: ['1.1.1.1', '8.8.8.8'] });
    expect(parts.config).toEqual({ Healthcheck: { Test: ['CMD-SHELL', 'true'], Retries: 2 } });
  });

  it.each(['privileged', 'cap-add', 'device', 'pid', 'ipc', 'uts', 'userns', 'gpus', 'runtime', 'constructor', 'link'])(
    'refuse --%s, which is not on the list',
    (name) => {
      expect(() => read([name, 'x'])).toThrow(`--${name} cannot be used here`);
    },
  );

  it.each([
    ['shm-size', 'big'],
    ['ulimit', 'nofile'],
    ['pids-limit', '0'],
    ['oom-score-adj', '-1'],
    ['memory-swappiness', 'no'],
    ['health-interval', 'soon'],
  ])('refuse the value of --%s %s', (name, value) => {
    expect(() => read([name, value])).toThrow(`--${name}`);
  });

  it('add to what the container has anyway', () => {
    const joined = joinParts(
      { host: { CapDrop: ['MKNOD'], PidsLimit: 4096 }, endpoint: { Aliases: ['step'] } },
      { host: { CapDrop: ['ALL'], PidsLimit: 10 }, endpoint: { Aliases: ['other'] } },
    );
    expect(joined.host).toEqual({ CapDrop: ['MKNOD', 'ALL'], PidsLimit: 10 });
    expect(joined.endpoint).toEqual({ Aliases: ['step', 'other'] });
  });
});
