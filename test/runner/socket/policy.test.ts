import { describe, expect, it } from 'vitest';
import { createBuildStep, createCmdStep, createPlan, createPushStep } from '../../../src/domain/step-defaults.ts';
import { encodeHeader } from '../../../src/runner/docker/auth-header.ts';
import { EngineRefusal } from '../../../src/runner/docker/errors.ts';
import { rewriteBuildQuery } from '../../../src/runner/docker/socket/build-query.ts';
import { rewriteExec, rewriteExecStart } from '../../../src/runner/docker/socket/exec-body.ts';
import { matchesName, readFilters, withLabels } from '../../../src/runner/docker/socket/filters.ts';
import { createRunImages, fullReference, registryOf } from '../../../src/runner/docker/socket/images.ts';
import { findContainer, findThing, type OwnContainer } from '../../../src/runner/docker/socket/objects.ts';
import { describeRefusal, missing, refuse } from '../../../src/runner/docker/socket/refusal.ts';
import { registryAuth, registryConfig } from '../../../src/runner/docker/socket/registry-auth.ts';
import { findRoute, splitVersion } from '../../../src/runner/docker/socket/routes.ts';
import { allRoutes } from '../../../src/runner/docker/socket/server.ts';
import { rewriteNetwork, rewriteVolume } from '../../../src/runner/docker/socket/shared-bodies.ts';
import { aWorld, labels } from './rig.ts';

const made = { toEngine: (name: string) => `run-${name}`, labels };

describe('the calls of a step', () => {
  it.each([
    ['GET', '/_ping'],
    ['POST', '/containers/create'],
    ['POST', '/containers/test/stop'],
    ['DELETE', '/containers/test'],
    ['POST', '/build'],
    ['POST', '/images/127.0.0.1:5000/team/app/push'],
    ['DELETE', '/images/team/app:1'],
    ['GET', '/images/get'],
    ['POST', '/exec/abc/start'],
    ['GET', '/volumes'],
  ])('are known: %s %s', (method, path) => {
    expect(findRoute(allRoutes, method, path)).toBeDefined();
  });

  it.each([
    ['POST', '/session'],
    ['POST', '/grpc'],
    ['POST', '/swarm/init'],
    ['GET', '/secrets'],
    ['GET', '/nodes'],
    ['POST', '/plugins/pull'],
    ['GET', '/system/df'],
    ['POST', '/images/prune'],
    ['POST', '/build/prune'],
    ['GET', '/images/search'],
    ['POST', '/containers/x/update'],
    ['GET', '/containers/x/attach/ws'],
    ['POST', '/containers/x/../y/stop'],
    ['PATCH', '/containers/json'],
    ['GET', '/'],
    ['GET', '//containers/json'],
    ['CONNECT', '/_ping'],
  ])('are refused: %s %s', (method, path) => {
    expect(findRoute(allRoutes, method, path)).toBeUndefined();
  });

  it('name things in their paths, encoded or not', () => {
    expect(findRoute(allRoutes, 'GET', '/images/a%2Fb:1/json')?.params).toEqual(['a/b:1']);
    expect(findRoute(allRoutes, 'GET', '/images/h:5000/a/b/json')?.params).toEqual(['h:5000/a/b']);
    expect(() => findRoute(allRoutes, 'GET', '/containers/%zz/json')).toThrow(/encoded/);
  });

  it('have a version, but none that starts containers with settings', () => {
    expect(splitVersion('/v1.41/containers/json')).toEqual({ version: '/v1.41', rest: '/containers/json' });
    expect(splitVersion('/containers/json')).toEqual({ version: '', rest: '/containers/json' });
    expect(() => splitVersion('/v1.23/containers/x/start')).toThrow(/too old/);
    expect(() => splitVersion('http://other/containers')).toThrow(/path/);
  });
});

describe('builds by a step', () => {
  const build = (query: string): string => rewriteBuildQuery(aWorld(), new URLSearchParams(query)).toString();

  it('are passed with what stays inside them', () => {
    expect(build('t=app&dockerfile=D&networkmode=default&ulimits=null&version=1&cgroupparent=')).toBe(
      't=app&dockerfile=D&networkmode=run-inner&ulimits=null&rm=1&forcerm=1&version=1',
    );
  });

  it.each([
    'networkmode=host',
    'networkmode=container:other',
    'networkmode=elsewhere',
    'cgroupparent=/x',
    'remote=http://169.254.169.254/',
    'session=abc',
    'version=2',
    'securityopt=["seccomp=unconfined"]',
    'outputs=[{"Type":"local"}]',
    'isolation=process',
  ])('are refused with %s', (query) => {
    expect(() => build(query)).toThrow();
  });
});

describe('networks and volumes of a step', () => {
  it('get the run’s names and labels', () => {
    expect(
      rewriteNetwork(made, { Name: 'n', Driver: 'bridge', Internal: true, IPAM: { Driver: 'default', Config: [] } }),
    ).toEqual({
      Name: 'run-n',
      Driver: 'bridge',
      Internal: true,
      CheckDuplicate: true,
      Options: undefined,
      Labels: labels,
    });
    expect(rewriteVolume(made, { Name: 'v', Driver: 'local' }, () => 'x')).toMatchObject({
      Name: 'run-v',
      Labels: labels,
    });
    expect(rewriteVolume(made, undefined, () => 'made-up')).toMatchObject({ Name: 'run-made-up', Labels: labels });
  });

  it.each<[object]>([
    [{ Name: 'n', Driver: 'macvlan' }],
    [{ Name: 'n', Driver: 'host' }],
    [{ Name: 'n', IPAM: { Config: [{ Subnet: '10.0.0.0/8' }] } }],
    [{ Name: 'n', Options: { 'com.docker.network.bridge.name': 'eth0' } }],
    [{ Name: 'n', Ingress: true }],
    [{ Name: 'n', ConfigFrom: { Network: 'x' } }],
    [{ Name: 'n', Labels: { 'slipway.run': 'x' } }],
    [{ name: 'n' }],
    [{}],
  ])('may not be a network like %j', (body) => {
    expect(() => rewriteNetwork(made, body)).toThrow();
  });

  it.each<[object]>([
    [{ Name: 'v', DriverOpts: { type: 'none', o: 'bind', device: '/' } }],
    [{ Name: 'v', Driver: 'nfs' }],
    [{ Name: 'v', driverOpts: { device: '/' } }],
    [{ Name: 'v', ClusterVolumeSpec: { Group: 'x' } }],
  ])('may not be a volume like %j', (body) => {
    expect(() => rewriteVolume(made, body, () => 'x')).toThrow();
  });

  it('are found by the step’s name, and those of others are not there', () => {
    const all = [{ id: 'b'.repeat(64), engineName: 'run-n', name: 'n' }];
    for (const name of ['n', 'run-n', 'bbbb']) expect(findThing('network', all, name)).toBe(all[0]);
    expect(() => findThing('network', all, 'other')).toThrow('No such network: other');
  });
});

describe('containers of a run', () => {
  const one = (id: string, name: string, step?: string, created = 0): OwnContainer => ({
    id: id.repeat(16),
    engineName: `run-${id}`,
    name,
    step,
    created,
  });
  const all = [
    one('abcd', 'test', 'test', 1),
    one('abce', 'test', 'test', 2),
    one('beef', 'web'),
    one('dead', 'db', 'db'),
    one('d00d', 'db'),
  ];

  it('are found by the step’s id, newest try first, by name and by id', () => {
    expect(findContainer(all, 'test').id).toMatch(/^abce/);
    expect(findContainer(all, '/web').id).toMatch(/^beef/);
    expect(findContainer(all, 'db').id).toMatch(/^d00d/);
    expect(findContainer(all, 'beefbe').id).toMatch(/^beef/);
    expect(findContainer(all, 'dead'.repeat(16)).name).toBe('db');
  });

  it('are not found when it could be several, or none', () => {
    expect(() => findContainer([one('aaaa', 'x'), one('aaab', 'y')], 'aaa')).toThrow('No such container: aaa');
    expect(() => findContainer([one('aaaa', 'x'), one('aaaa', 'y')], 'aaaa')).toThrow(/Multiple/);
    expect(() => findContainer(all, 'other')).toThrow('No such container: other');
  });
});

describe('filters', () => {
  it('are read in both forms, and always ask for the run', () => {
    expect(readFilters('{"label":{"a":true,"b":false},"status":["running"]}', ['label', 'status'])).toEqual({
      label: ['a'],
      status: ['running'],
    });
    expect(JSON.parse(withLabels({ label: ['a'] }, { run: '1' }))).toEqual({ label: ['a', 'run=1'] });
    expect(readFilters(null, [])).toEqual({});
  });

  it('are refused when they are none or not known', () => {
    for (const text of ['x', '[]', '{"label":7}', '{"since":["x"]}'])
      expect(() => readFilters(text, ['label'])).toThrow();
  });

  it.each([
    [['^db$'], 'db', true],
    [['^db$'], 'db2', false],
    [['/db'], 'db', true],
    [['d'], 'adb', true],
    [['^d'], 'adb', false],
    [['b$', 'x'], 'adb', true],
    [[], 'any', true],
  ])('of names %j fit %s: %s', (name, given, fits) => {
    expect(matchesName({ name }, given)).toBe(fits);
  });
});

describe('images of a run', () => {
  it('have one form of their names', () => {
    expect(fullReference('app')).toBe('docker.io/library/app:latest');
    expect(fullReference('docker.io/library/app')).toBe('docker.io/library/app:latest');
    expect(fullReference('h:5000/a/b:1')).toBe('h:5000/a/b:1');
    expect(fullReference('UPPER')).toBeUndefined();
    expect([registryOf('app'), registryOf('h:5000/a')]).toEqual(['docker.io', 'h:5000']);
  });

  it('are those that its steps name, and those that it made; only the latter may be removed', () => {
    const steps = [
      createBuildStep('b', { tags: ['built:1'] }),
      createPushStep('p', { images: ['pushed:1'] }),
      createCmdStep('c', 'docker', { agentImage: 'docker' }),
    ];
    const images = createRunImages(createPlan(steps), { docker: 'docker:cli' });
    images.made('tagged');
    images.made(`sha256:${'a'.repeat(64)}`);
    images.made('no image');
    for (const name of ['built:1', 'tagged:latest', `sha256:${'a'.repeat(64)}`]) expect(images.isMade(name)).toBe(true);
    for (const name of ['pushed:1', 'docker:cli', 'docker']) {
      expect([name, images.isMade(name), images.isShown(name)]).toEqual([name, false, true]);
    }
    for (const name of ['other', '', 'UPPER', 'aaaa']) expect(images.isShown(name)).toBe(false);
  });
});

describe('credentials', () => {
  const credentials = { 'h:5000': { userName: 'run', password: 'p' }, 'docker.io': { userName: 'hub', password: 'q' } };
  const decode = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString());

  it('of the client go first, those of the run fill in', () => {
    const own = encodeHeader({ username: 'me', password: 'x' });
    expect(decode(registryAuth(own, 'h:5000', credentials))).toMatchObject({ username: 'me' });
    for (const header of [undefined, '', encodeHeader({}), encodeHeader({ username: '', serveraddress: 'h:5000' })])
      expect(decode(registryAuth(header, 'h:5000', credentials))).toMatchObject({ username: 'run', password: 'p' });
    expect(decode(registryAuth(undefined, 'other', credentials))).toEqual({});
    expect(decode(registryConfig(encodeHeader({ 'h:5000': { username: 'me' } }), credentials))).toMatchObject({
      'h:5000': { username: 'me' },
      'https://index.docker.io/v1/': { username: 'hub' },
    });
    expect(() => registryAuth('!', 'h', {})).toThrow(/credentials/);
  });
});

describe('commands in containers', () => {
  it('have no more rights than their container', () => {
    expect(rewriteExec({ Cmd: ['ls'], Privileged: false, User: '0' })).toEqual({ Cmd: ['ls'], User: '0' });
    expect(() => rewriteExec({ Cmd: ['ls'], Privileged: true })).toThrow(/rights of the machine/);
    expect(rewriteExecStart({ Detach: false, Tty: true, ConsoleSize: [1, 2] })).toEqual({ Detach: false, Tty: true });
  });
});

describe('refusals', () => {
  it('have the statuses of the Engine API and say nothing of what went wrong inside', () => {
    expect(describeRefusal(refuse('x', 'y'))).toEqual({ status: 403, message: 'a step may not have x: y' });
    expect(describeRefusal(missing('container', 'x'))).toEqual({ status: 404, message: 'No such container: x' });
    expect(describeRefusal(new EngineRefusal(409, 'in use'))).toEqual({ status: 409, message: 'in use' });
    expect(describeRefusal(new Error('secret')).message).not.toContain('secret');
  });
});
