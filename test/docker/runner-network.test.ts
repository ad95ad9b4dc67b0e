import { describe, expect, it } from 'vitest';
import { createCmdRig, network, shell, succeeded, written } from '../runner/cmd-rig.ts';

const rig = createCmdRig();

const serve = 'mkdir /www && echo served >/www/index.html && httpd -p 80 -h /www';
const on = { network: network.name };

describe('steps that run side by side', () => {
  it('find each other at once when one names the other', async () => {
    const server = shell('web', `${serve}; sleep 2`, on);
    const client = shell('client', 'until wget -q -O - http://web/; do sleep 0.1; done', on);
    const run = await rig.prepare([server, client], { networks: [network] });
    const [, done] = await Promise.all([rig.runOn(run, server), rig.runOn(run, client)]);
    expect(done.outcome).toEqual(succeeded);
    expect(written(done).at(-1)).toBe('served');
  });

  it('find each other when nothing they say names the other', async () => {
    const server = shell('web', `${serve}; sleep 2`, on);
    const client = shell('client', 'name=w; until wget -q -O - http://${name}eb/; do sleep 0.1; done', on);
    const run = await rig.prepare([server, client], { networks: [network] });
    const [, done] = await Promise.all([rig.runOn(run, server), rig.runOn(run, client)]);
    expect(done.outcome).toEqual(succeeded);
    expect(written(done).at(-1)).toBe('served');
    await run.dispose();
    await rig.runner.settle();
    expect(await rig.remains()).toEqual({ containers: 0, networks: 0, volumes: 0 });
  });

  it('find one that began long before them at once', async () => {
    const server = shell('web', `${serve}; sleep 4`, on);
    const other = shell('other', 'sleep 1', on);
    const client = shell('client', 'name=w; wget -q -O - http://${name}eb/', on);
    const run = await rig.prepare([server, other, client], { networks: [network] });
    const serving = rig.runOn(run, server);
    await rig.runOn(run, other);
    const done = await rig.runOn(run, client);
    expect(done.outcome).toEqual(succeeded);
    await serving;
  });
});
