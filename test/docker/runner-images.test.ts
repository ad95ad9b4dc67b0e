import { describe, expect, it } from 'vitest';
import { createBuildStep, createCmdStep } from '../../src/domain/step-defaults.ts';
import { createCmdRig, succeeded, written } from '../runner/cmd-rig.ts';
import { aContext, aPush, startRegistry } from '../runner/rig.ts';

const rig = createCmdRig();
const account = { userName: 'robot', password: 'secret-word' };

async function remove(image: string): Promise<void> {
  await rig.engine.json({ method: 'DELETE', path: `/images/${image}`, query: { force: '1' } });
}

describe('the image of a cmd step', () => {
  it('is pulled with the credential of its registry when the engine does not have it', async () => {
    const registry = await startRegistry(account);
    try {
      const image = `${registry.host}/private/tool:1`;
      const credentials = { registryCredentials: { [registry.host]: account } };
      const query = { repo: `${registry.host}/private/tool`, tag: '1' };
      await rig.engine.json({ method: 'POST', path: '/images/busybox:latest/tag', query });
      const push = await rig.prepare([], {}, credentials);
      expect((await rig.runOn(push, aPush(image))).outcome).toEqual(succeeded);
      await remove(image);

      const step = createCmdStep('tool', image, { arguments: ['echo', 'pulled'] });
      const refused = await rig.runOne(step);
      expect(refused.outcome).toMatchObject({ kind: 'failed' });
      const done = await rig.runOne(step, {}, credentials);
      expect(written(done)).toEqual(['pulled']);
      expect(done.io.text()).toContain(`pulling ${image}`);
      expect(done.io.text()).toMatch(/image .*: digest sha256:/);
      expect(done.io.text()).not.toContain(account.password);
      const again = await rig.runOne({ ...step, pull: true }, {}, credentials);
      expect(again.io.text()).toContain(`pulling ${image}`);
      await remove(image);
    } finally {
      await registry.stop();
    }
  });
});

describe('a build with its cache in the registry', () => {
  it('keeps its layers there, and says so', async () => {
    const registry = await startRegistry();
    try {
      const image = `${registry.host}/app:1`;
      const step = createBuildStep('build', { tags: [image], cache: true, dockerfile: 'Dockerfile' });
      const context = aContext({ Dockerfile: `FROM busybox\nRUN echo ${rig.installation} > /made\n` });
      const run = await rig.prepare([step], {}, { context });
      const { outcome, io } = await rig.runOn(run, step);
      expect(outcome, io.text()).toMatchObject(succeeded);
      expect(io.text()).toContain(`cache kept as ${registry.host}/app:cache_build`);
      const tags = await (await fetch(`http://${registry.host}/v2/app/tags/list`)).json();
      expect(tags).toEqual({ name: 'app', tags: ['cache_build'] });
      await remove(image);
    } finally {
      await registry.stop();
    }
  });

  it('is refused flags that reach into the machine, and passes over those that do nothing here', async () => {
    const context = aContext({ Dockerfile: 'FROM busybox\n' });
    const build = async (name: string, value: string) => {
      const step = createBuildStep('build', { options: [{ name, value }] });
      return rig.runOn(await rig.prepare([step], {}, { context }), step);
    };
    for (const [name, value] of [
      ['network', 'host'],
      ['security-opt', 'x'],
      ['ssh', 'default'],
      ['allow', 'network.host'],
    ] as const) {
      expect((await build(name, value)).outcome).toMatchObject({ kind: 'failed' });
    }
    const passed = await build('provenance', 'false');
    expect(passed.outcome).toMatchObject(succeeded);
    expect(passed.io.text()).toContain('--provenance is passed over');
  });
});
