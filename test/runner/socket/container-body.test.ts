import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FailureError } from '../../../src/domain/failure.ts';
import { rewriteContainer } from '../../../src/runner/docker/socket/container-body.ts';
import { aWorld, labels } from './rig.ts';

type Host = Readonly<Record<string, unknown>>;

function hostOf(host: Host, world = aWorld()): Host {
  return rewriteContainer(world, { Image: 'app', HostConfig: host }, undefined)['HostConfig'] as Host;
}

function reasonOf(work: () => unknown): string {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return error instanceof FailureError ? error.failure.reason : String(error);
  }
}

describe('the container that a step asks for', () => {
  it.each<[string, Host]>([
    ['the rights of the machine', { Privileged: true }],
    ['the same in other letters', { privileged: true }],
    ['the same as a text', { Privileged: 'true' }],
    ['processes of the host', { PidMode: 'host' }],
    ['the network of the host', { NetworkMode: 'host' }],
    ['memory of the host', { IpcMode: 'host' }],
    ['the name of the host', { UTSMode: 'host' }],
    ['users of the host', { UsernsMode: 'host' }],
    ['control groups of the host', { CgroupnsMode: 'host' }],
    ['another control group', { CgroupParent: '/system' }],
    ['an old control group', { Cgroup: 'container:x' }],
    ['a device', { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda' }] }],
    ['a rule for devices', { DeviceCgroupRules: ['c *:* rwm'] }],
    ['a graphics card', { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] }],
    ['weights of devices', { BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 1 }] }],
    ['speeds of devices', { BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1 }] }],
    ['a right too many', { CapAdd: ['SYS_ADMIN'] }],
    ['all rights', { CapAdd: ['ALL'] }],
    ['a right that steps do not have', { CapAdd: ['cap_net_raw'] }],
    ['no seccomp', { SecurityOpt: ['seccomp=unconfined'] }],
    ['no AppArmor', { SecurityOpt: ['apparmor:unconfined'] }],
    ['its own seccomp', { SecurityOpt: ['seccomp={}'] }],
    ['uncovered paths', { MaskedPaths: [] }],
    ['writable paths of the kernel', { ReadonlyPaths: [] }],
    ['a setting of the machine', { Sysctls: { 'kernel.core_pattern': '|/x' } }],
    ['to outlive a lack of memory', { OomKillDisable: true }],
    ['to be killed last', { OomScoreAdj: -1000 }],
    ['another runtime', { Runtime: 'kata' }],
    ['realtime', { CpuRealtimeRuntime: 1000 }],
    ['a volume driver', { VolumeDriver: 'nfs' }],
    ['options of storage', { StorageOpt: { size: '1T' } }],
    ['annotations', { Annotations: { a: 'b' } }],
    ['all ports', { PublishAllPorts: true }],
    ['a port for everybody else', { PortBindings: { '80/tcp': [{ HostIp: '10.0.0.1', HostPort: '80' }] } }],
    ['a path of the host', { Binds: ['/:/host'] }],
    ['a path of the host, read only', { Binds: ['/etc:/x:ro'] }],
    ['a path out of the workspace', { Binds: ['/workspace/../etc:/x'] }],
    ['a neighbour of the workspace', { Binds: ['/workspace2:/x'] }],
    ['a part of the workspace on an older engine', { Binds: ['/workspace/app:/x'] }],
    ['a shared mount', { Binds: ['/workspace:/x:rshared'] }],
    ['a bind mount', { Mounts: [{ Type: 'bind', Source: '/', Target: '/x' }] }],
    ['a bind mount in other letters', { Mounts: [{ type: 'bind', source: '/', target: '/x' }] }],
    ['a named pipe', { Mounts: [{ Type: 'npipe', Source: 'x', Target: '/x' }] }],
    [
      'a volume of a driver with options',
      {
        Mounts: [
          { Source: 'v', Target: '/x', VolumeOptions: { DriverConfig: { Name: 'local', Options: { device: '/' } } } },
        ],
      },
    ],
    ['the part of a volume', { Mounts: [{ Source: 'v', Target: '/x', VolumeOptions: { Subpath: '../..' } }] }],
  ])('may not have %s', (_, host) => {
    expect(['forbidden', 'invalid-request']).toContain(reasonOf(() => hostOf(host)));
  });

  it.each<[string, Host]>([
    ['processes', { PidMode: 'container:other' }],
    ['memory', { IpcMode: 'container:other' }],
    ['a network', { NetworkMode: 'container:other' }],
    ['a network of a run', { NetworkMode: 'elsewhere' }],
    ['volumes', { VolumesFrom: ['other'] }],
    ['a link', { Links: ['other:o'] }],
  ])('does not find %s of others', (_, host) => {
    expect(reasonOf(() => hostOf(host))).toBe('not-found');
  });

  it('may not have labels that say whose it is', () => {
    for (const name of ['slipway.run', 'Slipway.run', 'slipway.new'])
      expect(reasonOf(() => rewriteContainer(aWorld(), { Labels: { [name]: 'x' } }, undefined))).toBe('forbidden');
  });

  it('may not be told things that nobody knows', () => {
    expect(reasonOf(() => rewriteContainer(aWorld(), { Image: 'app', hostconfig: { Privileged: true } }, 'x'))).toBe(
      'forbidden',
    );
    for (const body of [undefined, null, [], 'x', { HostConfig: 'x' }, { Cmd: 7 }, { NetworkingConfig: [1] }])
      expect(reasonOf(() => rewriteContainer(aWorld(), body, undefined))).toBe('invalid-request');
  });

  it('has the limits, labels and log of a step’s', () => {
    const body = rewriteContainer(aWorld(), { Image: 'app', Labels: { mine: 'yes' } }, undefined);
    expect(body).toMatchObject({
      Image: 'app',
      Labels: { ...labels, mine: 'yes' },
      HostConfig: { CapDrop: ['MKNOD', 'NET_RAW'], PidsLimit: 4096, LogConfig: { Type: 'local' } },
    });
    expect(hostOf({ PidsLimit: 100, CapDrop: ['ALL'], CapAdd: ['CHOWN'] })).toMatchObject({
      PidsLimit: 100,
      CapDrop: ['ALL', 'MKNOD', 'NET_RAW'],
      CapAdd: ['CHOWN'],
    });
    for (const PidsLimit of [-1, 0, 1_000_000, null]) expect(hostOf({ PidsLimit })).toMatchObject({ PidsLimit: 4096 });
    expect(hostOf({ LogConfig: { Type: 'syslog', Config: { 'syslog-address': 'tcp://x' } } })).toMatchObject({
      LogConfig: { Type: 'local' },
    });
  });

  it('mounts what is the run’s', () => {
    const binds = ['/workspace/:/w', '/acb/home:/h:ro', 'data:/d', '/anonymous', '/var/run/docker.sock:/s'];
    expect(hostOf({ Binds: binds })['Mounts']).toMatchObject([
      { Type: 'volume', Source: 'run-workspace', Target: '/w', ReadOnly: false },
      { Type: 'volume', Source: 'run-home', Target: '/h', ReadOnly: true },
      { Type: 'volume', Source: 'run-data', Target: '/d', VolumeOptions: { Labels: labels } },
      { Type: 'volume', Target: '/anonymous' },
      { Type: 'bind', Source: '/sockets/own', Target: '/s' },
    ]);
    const mounts = [
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024 } },
      { Type: 'bind', Source: '/run/docker.sock', Target: '/s' },
      { Source: 'data', Target: '/d', ReadOnly: true, VolumeOptions: { NoCopy: true, Labels: { 'slipway.run': 'x' } } },
    ];
    expect(hostOf({ Mounts: mounts })['Mounts']).toEqual([
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024 } },
      { Type: 'bind', Source: '/sockets/own', Target: '/s', ReadOnly: false },
      {
        Type: 'volume',
        Source: 'run-data',
        Target: '/d',
        ReadOnly: true,
        VolumeOptions: { Labels: labels, NoCopy: true },
      },
    ]);
  });

  it('mounts a part of the workspace where the engine can', () => {
    expect(hostOf({ Binds: ['/workspace/./app/src:/x'] }, aWorld({ hasSubpath: true }))['Mounts']).toMatchObject([
      { Source: 'run-workspace', Target: '/x', VolumeOptions: { Subpath: 'app/src', NoCopy: true } },
    ]);
  });

  it('publishes ports on the loopback', () => {
    const PortBindings = {
      '80/tcp': [{ HostIp: '', HostPort: '8080' }],
      '81': [{ HostIp: '0.0.0.0', HostPort: '' }],
      '82/udp': null,
      '83': [{ HostIp: '127.0.0.2' }],
    };
    expect(hostOf({ PortBindings })['PortBindings']).toEqual({
      '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
      '81': [{ HostIp: '127.0.0.1', HostPort: '' }],
      '82/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
      '83': [{ HostIp: '127.0.0.2', HostPort: '' }],
    });
  });

  it('is on the run’s network by default, under its name', () => {
    const sent = { Image: 'app', HostConfig: { NetworkMode: 'default' }, NetworkingConfig: { EndpointsConfig: {} } };
    const aliases = (body: object, name?: string): unknown =>
      rewriteContainer(aWorld(), body, name)['NetworkingConfig'];
    expect(aliases(sent, 'store')).toEqual({ EndpointsConfig: { 'run-inner': { Aliases: ['store'] } } });
    const named = { ...sent, NetworkingConfig: { EndpointsConfig: { inner: { Aliases: ['a'], GwPriority: 0 } } } };
    expect(aliases(named, 'store')).toEqual({ EndpointsConfig: { 'run-inner': { Aliases: ['a', 'store'] } } });
    for (const mode of ['bridge', 'none', 'container:db'])
      expect(aliases({ ...sent, HostConfig: { NetworkMode: mode } })).toBeUndefined();
    expect(hostOf({ NetworkMode: 'container:db' })['NetworkMode']).toBe(`container:${'a'.repeat(64)}`);
  });

  it('never gets a path of the host or a right too many, whatever is sent', () => {
    const texts = fc.constantFrom(
      'host',
      '/',
      '/etc:/x',
      'x:/y',
      '/workspace/..:/x',
      'bind',
      '',
      'ALL',
      'container:db',
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        texts,
        fc.boolean(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('Type', 'Source', 'Target', 'VolumeOptions', 'type', 'source'), tie('any')),
      ),
    })).any;
    const names =
      'Privileged privileged Binds Mounts CapAdd PidMode NetworkMode IpcMode Devices SecurityOpt VolumesFrom MaskedPaths';
    const bodies = fc.record({
      HostConfig: fc.dictionary(fc.constantFrom(...names.split(' ')), value),
      hostConfig: fc.option(value),
    });
    fc.assert(
      fc.property(bodies, (body) => {
        let host: Host;
        try {
          host = rewriteContainer(aWorld(), body, undefined)['HostConfig'] as Host;
        } catch (error) {
          expect(error).toBeInstanceOf(FailureError);
          return;
        }
        for (const name of Object.keys(host))
          expect(['Privileged', 'privileged', 'Binds', 'Devices', 'MaskedPaths']).not.toContain(name);
        for (const mount of host['Mounts'] as { Type: string; Source?: string }[])
          if (mount.Type === 'bind') expect(mount.Source).toBe('/sockets/own');
        for (const mode of ['PidMode', 'NetworkMode', 'IpcMode']) expect(host[mode]).not.toBe('host');
        expect(host['CapAdd'] ?? []).not.toContain('ALL');
      }),
      { numRuns: 2000 },
    );
  });
});
