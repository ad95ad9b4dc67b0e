import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createBuildStep, createCmdStep } from '../../src/domain/step-defaults.ts';
import { createCmdRig, needs, network, shell, succeeded, written } from '../runner/cmd-rig.ts';
import { aContext, until } from '../runner/rig.ts';

const rig = createCmdRig();

describe('steps of one run', () => {
  it('find a detached server by its id, and keep its output', async () => {
    const server = shell('web', 'echo serving; while true; do echo hello | nc -l -p 8080; done', {
      detach: true,
      network: network.name,
    });
    const client = shell(
      'client',
      'for i in 1 2 3 4 5 6 7 8 9; do nc web 8080 </dev/null && exit 0; sleep 1; done; exit 1',
      {
        network: network.name,
        needs: needs('web'),
      },
    );
    const run = await rig.prepare([server, client], { networks: [network] });
    const first = await rig.runOn(run, server);
    expect(first.outcome).toEqual(succeeded);
    const second = await rig.runOn(run, client);
    expect(second.outcome).toEqual(succeeded);
    expect(written(second)).toContain('hello');
    await until(() => first.io.text().includes('serving'));
    await run.dispose();
    await rig.runner.settle();
    expect(await rig.remains()).toEqual({ containers: 0, networks: 0, volumes: 0 });
  });

  it('make no network when they cannot meet', async () => {
    const one = shell('one', 'true', { network: network.name });
    const two = shell('two', 'true', { network: network.name, needs: needs('one') });
    const run = await rig.prepare([one, two], { networks: [network] });
    expect((await rig.runOn(run, one)).outcome).toEqual(succeeded);
    expect((await rig.remains()).networks).toBe(0);
  });

  it('are on the networks that the task declares', async () => {
    const mine = { ...network, name: 'mine', ipv6: true, isDefault: false };
    const step = shell('net', 'cat /proc/net/if_inet6', { network: 'mine' });
    const done = await rig.runOne(step, { networks: [mine] });
    expect(done.outcome).toEqual(succeeded);
    expect(written(done).join('\n')).toMatch(/^fd/m);
  });

  it('note the end of a detached one', async () => {
    const step = shell('short', 'echo last; exit 3', { detach: true });
    const { outcome, io } = await rig.runOne(step);
    expect(outcome).toEqual(succeeded);
    await until(() => io.text().includes('the detached container ended with exit code 3'));
    expect(io.text()).toContain('last');
  });

  it('share the workspace with the context in it, and the home directory', async () => {
    const one = shell('one', 'cat a/b; echo more > a/c; echo secret > $HOME/.rc');
    const two = shell('two', 'cat a/c $HOME/.rc; ls /workspace', { needs: needs('one') });
    const run = await rig.prepare(
      [one, two],
      {},
      { context: aContext({ 'a/b': 'from the context\n' }, { gzip: true }) },
    );
    expect(written(await rig.runOn(run, one))).toEqual(['from the context']);
    expect(written(await rig.runOn(run, two))).toEqual(['more', 'secret', 'a']);
  });

  it('are built from what the steps before have left in the workspace', async () => {
    const make = shell(
      'make',
      'mkdir out; echo "FROM busybox" > ../workspace/out/Dockerfile; echo "COPY app x/app /" >> out/Dockerfile; echo built > out/app; mkdir out/x; echo inner > out/x/app',
    );
    const tag = `runner-cmd-test:${rig.installation}`;
    const build = createBuildStep('build', {
      context: { kind: 'local', path: 'out' },
      dockerfile: 'out/Dockerfile',
      tags: [tag],
      needs: needs('make'),
    });
    const show = createCmdStep('show', tag, { arguments: ['cat', '/app'], needs: needs('build') });
    const run = await rig.prepare([make, build, show]);
    expect((await rig.runOn(run, make)).outcome).toEqual(succeeded);
    const built = await rig.runOn(run, build);
    expect(built.outcome, built.io.text()).toMatchObject(succeeded);
    expect(written(await rig.runOn(run, show))).toEqual(['inner']);
    await run.dispose();
    await rig.runner.settle();
    await rig.engine.json({ method: 'DELETE', path: `/images/${tag}`, query: { force: '1' } });
  });

  it('are built from a folder of the context, with a Dockerfile from outside of it, before any container has run', async () => {
    const tag = `runner-cmd-test:outer-${rig.installation}`;
    const labels = [{ name: 'colour', value: 'blue' }];
    const build = createBuildStep('build', {
      context: { kind: 'local', path: 'src' },
      dockerfile: 'docker/Dockerfile',
      tags: [tag],
      labels,
    });
    const show = createCmdStep('show', tag, { arguments: ['cat', '/app'], needs: needs('build') });
    const files = { 'docker/Dockerfile': 'FROM busybox\nCOPY app /\n', 'src/app': 'application', app: 'wrong' };
    for (const gzip of [false, true]) {
      const run = await rig.prepare([build, show], {}, { context: aContext(files, { gzip }) });
      const built = await rig.runOn(run, build);
      expect(built.outcome, built.io.text()).toMatchObject(succeeded);
      expect(written(await rig.runOn(run, show))).toEqual(['application']);
      await run.dispose();
    }
    const image = (await rig.engine.json({ method: 'GET', path: `/images/${tag}/json` })) as {
      Config: { Labels: object };
    };
    expect(image.Config.Labels).toEqual({ colour: 'blue' });
    await rig.runner.settle();
    await rig.engine.json({ method: 'DELETE', path: `/images/${tag}`, query: { force: '1' } });
  });

  it('get secret files byte for byte, in memory, and not in the workspace', async () => {
    const content = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const sum = createHash('md5').update(content).digest('hex');
    const volumes = [{ name: 'keys', files: [{ name: 'key.bin', contentBase64: content.toString('base64') }] }];
    const mounts = { volumeMounts: [{ volume: 'keys', path: '/keys' }] };
    const look = 'busybox md5sum < /keys/key.bin; ls -A /workspace; grep -o "^tmpfs /keys" /proc/mounts';
    const one = shell('one', `${look}; touch /keys/mine`, mounts);
    const two = shell('two', 'ls -l /keys/key.bin | cut -c-10; ls /keys', { ...mounts, needs: needs('one') });
    const run = await rig.prepare([one, two], { volumes });
    expect(written(await rig.runOn(run, one))).toEqual([`${sum}  -`, 'tmpfs /keys']);
    expect(written(await rig.runOn(run, two))).toEqual(['-rw-r--r--', 'key.bin']);
  });

  it('have their secret files beside each other, several volumes and empty files too', async () => {
    const volumes = ['a', 'b'].map((name) => ({
      name,
      files: [
        { name: 'word', contentBase64: Buffer.from(name).toString('base64') },
        { name: 'empty', contentBase64: '' },
      ],
    }));
    const volumeMounts = [
      { volume: 'b', path: '/keys/of/b' },
      { volume: 'a', path: '/a' },
    ];
    const steps = ['x', 'y', 'z'].map((id) => shell(id, 'cat /a/* /keys/of/b/*; ls /a /keys/of/b', { volumeMounts }));
    const run = await rig.prepare(steps, { volumes });
    const all = await Promise.all(steps.map((step) => rig.runOn(run, step)));
    const shown = ['ab/a:', 'empty', 'word', '', '/keys/of/b:', 'empty', 'word'];
    expect(all.map(written)).toEqual([shown, shown, shown]);
  });

  it('leave nothing behind', async () => {
    const steps = [
      shell('a', 'true', { keep: true }),
      shell('b', 'sleep 100', { detach: true, network: network.name }),
    ];
    const volumes = [{ name: 'keys', files: [{ name: 'k', contentBase64: 'AA==' }] }];
    const plan = { volumes, networks: [{ ...network, name: 'declared' }, network] };
    const last = shell('c', 'exit 1', { network: 'declared', volumeMounts: [{ volume: 'keys', path: '/k' }] });
    const run = await rig.prepare([...steps, last], plan, { context: aContext({ a: 'b' }) });
    for (const step of [...steps, last]) await rig.runOn(run, step);
    await run.dispose();
    await run.dispose();
    await rig.runner.settle();
    expect(await rig.remains()).toEqual({ containers: 0, networks: 0, volumes: 0 });
  });
});
