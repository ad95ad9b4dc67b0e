import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CmdStep } from '../../src/domain/step.ts';
import { createCmdStep } from '../../src/domain/step-defaults.ts';
import type { DockerRunnerOptions } from '../../src/runner/docker/index.ts';
import { createCmdRig, network, shell, succeeded, written, type Done } from '../runner/cmd-rig.ts';
import { aContext, startRegistry, type TestRegistry } from '../runner/rig.ts';
import { dockerStandIn } from '../rig/stand-ins.ts';

const rig = createCmdRig();
let directory: string;
let foreign: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sockets-'));
  const body = { Image: 'busybox:latest', Cmd: ['sleep', '600'], HostConfig: { Init: false } };
  const made = await rig.engine.json({ method: 'POST', path: '/containers/create', body });
  foreign = (made as { Id: string }).Id;
});
afterAll(async () => {
  await rig.engine.json({ method: 'DELETE', path: `/containers/${foreign}`, query: { force: '1' } });
  await rm(directory, { recursive: true, force: true });
});

const configure = (change: Partial<DockerRunnerOptions> = {}): void => {
  rig.configure({ socketDirectory: join(directory, 's'), images: { docker: dockerStandIn }, ...change });
};
beforeEach(() => configure());

/** A step `cmd: docker …`. */
function docker(id: string, words: string, given: Partial<Omit<CmdStep, 'kind' | 'id'>> = {}): CmdStep {
  const base = { agentImage: 'docker', usesEngine: true, arguments: words.split(' ') };
  return createCmdStep(id, 'docker', { ...base, ...given });
}

/** A step that runs a script in the image of the engine's client. */
function script(id: string, text: string, given: Partial<Omit<CmdStep, 'kind' | 'id'>> = {}): CmdStep {
  return docker(id, '', { entryPoint: 'sh', arguments: ['-ec', text], ...given });
}

function said({ io }: Done): string {
  return io.text();
}

/** Runs steps one after the other as one run, and disposes of it. */
async function runAll(
  steps: readonly CmdStep[],
  setup: Parameters<typeof rig.prepare>[2] = {},
): Promise<readonly Done[]> {
  const run = await rig.prepare(steps, { networks: [network] }, setup);
  const done: Done[] = [];
  for (const step of steps) done.push(await rig.runOn(run, step));
  await run.dispose();
  return done;
}

async function images(): Promise<string> {
  return JSON.stringify(await rig.engine.json({ method: 'GET', path: '/images/json' }));
}

async function removeImage(name: string): Promise<void> {
  await rig.engine.json({ method: 'DELETE', path: `/images/${name}`, query: { force: '1' } }).catch(() => undefined);
}

afterEach(async () => {
  await rig.runner.settle();
  expect(await rig.remains()).toEqual({ containers: 0, networks: 0, volumes: 0 });
});

describe('a step that drives the engine', () => {
  it('stops a step of its run by that step’s id', async () => {
    const server = shell('test', 'trap "exit 0" TERM; sleep 600 & wait', { detach: true, network: network.name });
    const [, stopped] = await runAll([server, docker('stop', 'stop -t 5 test')]);
    expect(stopped?.outcome, stopped && said(stopped)).toEqual(succeeded);
    expect(stopped && written(stopped)).toEqual(['test']);
  });

  it('runs containers, follows their output and gets their exit code', async () => {
    const [good, bad] = await runAll(
      [
        docker('good', 'run --rm busybox:latest sh -c echo;hello'.replace('echo;hello', 'echo\thello'), {}),
        docker('bad', 'run --rm busybox:latest sh -c exit\t7', {}),
      ].map((step) => ({ ...step, arguments: step.arguments.map((word) => word.replace('\t', ' ')) })),
    );
    expect(good?.outcome, good && said(good)).toEqual(succeeded);
    expect(good && written(good)).toContain('hello');
    expect(bad?.outcome).toMatchObject({ kind: 'failed', exitCode: 7 });
  });

  it('sees its run’s containers under the names that it gave them, and no others', async () => {
    const text = `
      docker run -d --name db busybox:latest sleep 600
      docker ps -a --format '{{.Names}}'
      docker ps -a --filter name=^db$ --format 'filtered {{.Names}}'
      docker inspect --format 'inspected {{.Name}}' db
      docker exec db echo inside
      echo piped | docker exec -i db cat
      docker rename db store && docker logs store && docker rm -f store
      docker inspect $FOREIGN || echo invisible
      docker stop $FOREIGN || echo untouchable
      docker ps -aq --no-trunc | grep $FOREIGN || echo unlisted`;
    const [one] = await runAll([script('see', text, { env: [{ name: 'FOREIGN', value: foreign }] })]);
    expect(one?.outcome, one && said(one)).toEqual(succeeded);
    const lines = one ? written(one) : [];
    for (const line of [
      'db',
      'see',
      'filtered db',
      'inspected /db',
      'inside',
      'piped',
      'invisible',
      'untouchable',
      'unlisted',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join('\n')).toContain(`No such container: ${foreign}`);
  });

  it('meets the steps of its run on their network', async () => {
    const serve = 'mkdir /www; echo served > /www/index.html; httpd -f -p 80 -h /www';
    const client = script(
      'client',
      `docker run -d --name side busybox:latest sh -c '${serve}'
       for try in 1 2 3 4 5 6 7 8 9; do docker run --rm busybox:latest wget -q -O - http://side/ && break; sleep 0.2; done
       wget -q -O - http://side/`,
      { network: network.name },
    );
    const [, done] = await runAll([shell('other', 'sleep 600', { detach: true, network: network.name }), client]);
    expect(done?.outcome, done && said(done)).toEqual(succeeded);
    expect(done && written(done).filter((line) => line === 'served')).toHaveLength(2);
  });

  it('mounts the workspace, volumes of its own, and its own socket', async () => {
    const text = `
      echo from-step > made
      docker run --rm -v $PWD:/x -v keep:/keep busybox:latest sh -c 'cat /x/made /x/given; echo kept > /keep/file'
      docker run --rm --mount type=volume,source=keep,target=/k busybox:latest cat /k/file
      docker volume ls -q
      docker run --rm -v /var/run/docker.sock:/var/run/docker.sock ${dockerStandIn} ps --format 'nested {{.Names}}'`;
    const [one] = await runAll([script('mount', text)], { context: aContext({ given: 'from-context\n' }) });
    expect(one?.outcome, one && said(one)).toEqual(succeeded);
    expect(one && written(one)).toEqual(
      expect.arrayContaining(['from-step', 'from-context', 'kept', 'keep', 'nested mount']),
    );
  });

  it('leaves nothing behind, whatever it made', async () => {
    const text = `
      docker network create inner && docker volume create stuff
      docker run -d --network inner -v stuff:/stuff -v /anonymous --restart always busybox:latest sleep 600
      docker create --name never busybox:latest
      docker network ls --format '{{.Name}}'`;
    const [one] = await runAll([script('litter', text)]);
    expect(one?.outcome, one && said(one)).toEqual(succeeded);
    expect(one && written(one)).toContain('inner');
    expect(await readdir(join(directory, 's'))).toEqual([]);
  });

  it.each([
    ['its privileges', 'run --privileged busybox:latest true', /Privileged/],
    ['a path of the machine', 'run -v /etc:/x busybox:latest true', /path of the machine/],
    ['a part of the workspace', 'run -v /workspace/../etc:/x busybox:latest true', /without/],
    ['the network of the host', 'run --network host busybox:latest true', /network of the host/],
    ['processes of the host', 'run --pid host busybox:latest true', /PidMode/],
    ['more rights', 'run --cap-add SYS_ADMIN busybox:latest true', /SYS_ADMIN/],
    ['a device', 'run --device /dev/null busybox:latest true', /Devices/],
    ['no seccomp', 'run --security-opt seccomp=unconfined busybox:latest true', /seccomp/],
    ['masked files', 'run --security-opt systempaths=unconfined busybox:latest true', /uncovers/],
    ['a volume that is a folder', 'volume create -o type=none -o o=bind -o device=/ root', /folders of the machine/],
    ['a network of another kind', 'network create -d macvlan outside', /Driver/],
    ['the swarm', 'swarm init', /as a whole/],
    ['the removal of shared images', 'rmi -f busybox:latest', /shared/],
    ['pruning of images', 'image prune -f', /shared/],
    ['a container of others', 'run --volumes-from FOREIGN busybox:latest true', /No such container/],
    ['a network end of others', 'run --network container:FOREIGN busybox:latest true', /No such container/],
  ])('is refused %s, with the reason', async (_, words, reason) => {
    const [one] = await runAll([docker('bad', words.replace('FOREIGN', foreign))]);
    expect(one?.outcome).toMatchObject({ kind: 'failed' });
    expect(one && said(one)).toMatch(reason);
  });
});

describe('images of a step that drives the engine', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry({ userName: 'ci', password: 'hush' });
  });
  afterAll(() => registry.stop());

  it('are built from the workspace and pushed with the run’s credential', async () => {
    const name = `${registry.host}/made:1`;
    const context = aContext({ Dockerfile: 'FROM busybox:latest\nRUN echo built > /built\n' });
    const registryCredentials = { [registry.host]: { userName: 'ci', password: 'hush' } };
    const steps = [
      docker('build', `build -t ${name} .`),
      docker('try', `run --rm ${name} cat /built`),
      docker('tag', `tag ${name} ${registry.host}/made:2`),
      docker('push', `push ${registry.host}/made:2`),
      script('list', 'docker images --format "{{.Repository}}:{{.Tag}}"'),
      docker('pull', `pull ${name.replace(':1', ':2')}`),
      docker('remove', `rmi ${name} ${registry.host}/made:2`),
    ];
    const done = await runAll(steps, { context, registryCredentials });
    for (const one of done) expect(one.outcome, said(one)).toEqual(succeeded);
    expect(done[1] && written(done[1])).toEqual(['built']);
    expect(done[4] && written(done[4])).toEqual(expect.arrayContaining([name]));
    expect(await images()).not.toContain(`${registry.host}/made`);
  });

  it('of other runs are neither listed nor handed on', async () => {
    const other = `${registry.host}/other:1`;
    await rig.engine.json({
      method: 'POST',
      path: '/images/busybox:latest/tag',
      query: { repo: `${registry.host}/other`, tag: '1' },
    });
    try {
      const [one] = await runAll([
        script(
          'reach',
          `docker images | grep other || echo unlisted; docker push ${other} || echo unpushed; docker rmi -f ${other} || echo kept`,
        ),
      ]);
      expect(one && written(one)).toEqual(expect.arrayContaining(['unlisted', 'unpushed', 'kept']));
    } finally {
      await removeImage(other);
    }
  });

  it('are not built with BuildKit, and the message says what to do', async () => {
    const env = [{ name: 'DOCKER_BUILDKIT', value: '1' }];
    const context = aContext({ Dockerfile: 'FROM busybox:latest\n' });
    const [one] = await runAll([docker('kit', 'build .', { env })], { context });
    expect(one?.outcome).toMatchObject({ kind: 'failed' });
  });
});

describe('where the engine cannot have the socket of a run', () => {
  it.each<[string, Partial<DockerRunnerOptions>, RegExp]>([
    ['no directory is configured', {}, /no directory/],
    ['its path is too long', { socketDirectory: `/tmp/${'long/'.repeat(30)}` }, /too long/],
  ])('a step is refused: %s', async (_, change, reason) => {
    rig.configure({ images: { docker: dockerStandIn }, ...change });
    const [one] = await runAll([docker('no', 'ps')]);
    expect(one?.outcome).toMatchObject({ kind: 'failed', message: expect.stringMatching(reason) as string });
  });
});
