import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { StepId } from '../../src/domain/step.ts';
import { createCmdStep } from '../../src/domain/step-defaults.ts';
import { line, startRebaseSite, type RebaseRig, type WantedRebase } from '../rebase/rig.ts';

let rig: RebaseRig;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ rig, stop } = await startRebaseSite());
});
afterAll(() => stop());

const digestLabel = 'org.opencontainers.image.base.digest';
const files = { a: 'one', b: 'two', 'c/d': 'three', 'c/e/f': 'four' };

async function labelsOf(name: string): Promise<Readonly<Record<string, string>>> {
  const { config } = await rig.read(name);
  return (config['config'] as { readonly Labels?: Record<string, string> }).Labels ?? {};
}

/** The same name, built anew on the base as it is now. */
async function expectRebuilt(wanted: WantedRebase): Promise<void> {
  const other = wanted.name.replace(/:.*/, ':rebuilt');
  const { made: _, ...build } = wanted;
  await rig.build({ ...build, name: other, tests: [] });
  const [one, two] = [await rig.read(wanted.name), await rig.read(other)];
  expect(await rig.listLayers(wanted.name)).toEqual(await rig.listLayers(other));
  expect(one.mediaType).toBe(two.mediaType);
  expect(one.plainConfig).toEqual(two.plainConfig);
}

const whole = [
  'FROM $R/BASE AS middle',
  'ARG V=1',
  'ENV A=$V B="two words"',
  'LABEL x=y',
  'FROM middle',
  'WORKDIR /app',
  'COPY a b /app/',
  'COPY --chown=1000:1000 c /srv/c',
  'ADD a rest/',
  'EXPOSE 80 90/udp',
  'USER 1000',
  'VOLUME /data',
  'STOPSIGNAL SIGINT',
  'HEALTHCHECK --interval=5s CMD true',
  'ENTRYPOINT ["cat"]',
  'CMD ["/app/a"]',
].join('\n');

describe.each(['auto', 'classic'] as const)('an image that the builder "%s" made, on a new base', (builder) => {
  it('has the layers and the configuration of a rebuild, but for times', async () => {
    const base = `base-${builder}:1`;
    const wanted = { name: `app-${builder}:v1`, text: whole.replace('BASE', base), files, builder };
    await rig.publishBase(base, `${line}\nENV FROM_BASE=one\nRUN echo one > /version`);
    const { found } = await rig.build(wanted);
    const digest = await rig.publishBase(
      base,
      `${line}\nENV FROM_BASE=two MORE=1\nRUN echo 2 > /version && mkdir /more`,
    );
    const rebased = await rig.rebase({ ...wanted, made: found });
    expect(rebased.outcome).toEqual({ kind: 'succeeded' });
    expect(rebased.text).toContain('no build');
    expect(rebased.found[0]).toMatchObject({
      runtime: { repository: `base-${builder}`, tag: '1', digest },
      commit: 'abc',
    });
    expect((await rig.read(wanted.name)).digest).toBe(rebased.digest);
    expect(await labelsOf(wanted.name)).toMatchObject({ [digestLabel]: digest, x: 'y' });
    await expectRebuilt({ ...wanted, made: [] });
  });
});

it('is put on the base that there is now, whatever the run was started for', async () => {
  const wanted = { name: 'late:v1', text: 'FROM $R/late-base:1\nCOPY a /app/a\n', files };
  const first = await rig.publishBase('late-base:1', `${line}\nRUN echo 1 > /version`);
  const { found } = await rig.build(wanted);
  const second = await rig.publishBase('late-base:1', `${line}\nRUN echo 2 > /version`);
  const third = await rig.publishBase('late-base:1', `${line}\nRUN echo 3 > /version`);
  const startedFor = (digest: Digest) => [{ registry: rig.host, repository: 'late-base', tag: '1', digest }];
  for (const digest of [second, third]) {
    const rebased = await rig.rebase({ ...wanted, made: found, images: startedFor(digest) });
    expect(rebased.text).toContain(`${first} were exchanged for those of ${third}`);
  }
  await expectRebuilt({ ...wanted, made: [] });
});

it('has the very layers of a rebuild where the builder makes no directory', async () => {
  const wanted = { name: 'plain:v1', text: 'FROM $R/plain-base:1\nCOPY a /a\nCMD ["cat", "/a"]', files };
  await rig.publishBase('plain-base:1', `${line}\nRUN echo one > /version`);
  const first = await rig.build(wanted);
  await rig.publishBase('plain-base:1', `${line}\nRUN echo two > /version`);
  const second = await rig.rebase({ ...wanted, made: first.found });
  expect(second.text).toContain('no build');
  await expectRebuilt({ ...wanted, made: [] });
  expect((await rig.read('plain:v1')).layers).toEqual((await rig.read('plain:rebuilt')).layers);

  // What was rebased can be rebased again.
  await rig.publishBase('plain-base:1', `${line}\nENV C=1\nRUN echo three > /version`);
  const third = await rig.rebase({ ...wanted, made: second.found });
  expect(third.text).toContain('no build');
  await expectRebuilt({ ...wanted, made: [] });
});

describe('with a step between build and push', () => {
  const build = 'build' as StepId;
  const check = (script: string) =>
    createCmdStep('check', '', {
      ...{ image: `${rig.host}/tested:v1`, arguments: ['-c', script], entryPoint: 'sh', needs: [build] },
    });

  it('runs that step in the new image, and moves the tag only when it says yes', async () => {
    const wanted = { name: 'tested:v1', text: 'FROM $R/tested-base:1\nCOPY a /app/a', files };
    await rig.publishBase('tested-base:1', `${line}\nRUN echo one > /version`);
    const first = await rig.build(wanted);
    await rig.publishBase('tested-base:1', `${line}\nRUN echo two > /version`);
    const rebase = (script: string) => rig.rebase({ ...wanted, made: first.found, tests: [check(script)] });

    const refused = await rebase('cat /version /app/a; exit 3');
    expect(refused.text).toContain('no build');
    expect(refused.text).toContain('two');
    expect(refused.outcome).toMatchObject({ kind: 'failed', exitCode: 3 });
    expect((await rig.read('tested:v1')).digest).toBe(first.digest);

    const accepted = await rebase('grep two /version');
    expect(accepted.outcome).toMatchObject({ kind: 'succeeded' });
    expect((await rig.read('tested:v1')).digest).toBe(accepted.digest);
    expect(accepted.digest).not.toBe(first.digest);
  });
});

describe('with the strategy', () => {
  const wanted = { name: 'moved:v1', text: 'FROM $R/moved-base:1\nCOPY a /app/a', files };
  const later = { ...wanted, files: { ...files, a: 'changed' }, commit: 'def' };

  it('"rebase" the image keeps its files when the context has moved on; with "auto" it is built', async () => {
    await rig.publishBase('moved-base:1', `${line}\nRUN echo one > /version`);
    const { found } = await rig.build(wanted);
    await rig.publishBase('moved-base:1', `${line}\nRUN echo two > /version`);
    const rebased = await rig.rebase({ ...later, made: found, strategy: 'rebase' });
    expect(rebased.text).toContain('the image keeps its files of commit abc; its context is at def');
    expect(rebased.text).toContain('no build');
    expect(rebased.found[0]?.commit).toBe('abc');
    const built = await rig.rebase({ ...later, made: found, strategy: 'auto' });
    expect(built.text).toContain('not rebased: its context has moved on from abc to def; building');
    expect(built.found[0]?.commit).toBe('def');
  });

  it('"auto" the same goes for a context that has no commit but a digest', async () => {
    const [one, other] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`];
    const artifact = { ...wanted, name: 'artifact:v1', text: 'FROM $R/artifact-base:1\nCOPY a /app/a', revision: one };
    await rig.publishBase('artifact-base:1', `${line}\nRUN echo one > /version`);
    const { found } = await rig.build(artifact);
    expect(found[0]).toMatchObject({ revision: one });
    expect(found[0]).not.toHaveProperty('commit');
    await rig.publishBase('artifact-base:1', `${line}\nRUN echo two > /version`);

    const moved = await rig.rebase({ ...artifact, made: found, revision: other });
    expect(moved.text).toContain('not rebased: its context has moved on from 111111111111 to 222222222222; building');
    const folder = await rig.rebase({ ...artifact, made: found, revision: `${one}#:web` });
    expect(folder.text).toContain('its context has moved on from 111111111111 to 111111111111#:web; building');
    const old = found.map(({ revision: _, ...rest }) => rest);
    const unknown = await rig.rebase({ ...artifact, made: old });
    expect(unknown.text).toContain('not rebased: it is not known of which state of its context');

    const rebased = await rig.rebase({ ...artifact, made: found });
    expect(rebased.text).toContain('no build');
    expect(rebased.found[0]).toMatchObject({ revision: one });
    const kept = await rig.rebase({ ...artifact, made: found, revision: other, strategy: 'rebase' });
    expect(kept.text).toContain('the image keeps its files of 111111111111; its context is at 222222222222');
  });
});

describe('a build that changed bases have set off', () => {
  it('does not begin on an older base than the one it was made for', async () => {
    const wanted = { name: 'stale:v1', text: 'FROM $R/stale-base:1\nRUN cat /version', files };
    const digest = await rig.publishBase('stale-base:1', `${line}\nRUN echo one > /version`);
    const { found } = await rig.build(wanted);
    const image = { registry: rig.host, repository: 'stale-base', tag: '1' };
    const rebuild = (one: Digest) =>
      rig.rebase({ ...wanted, made: found, strategy: 'rebuild', images: [{ ...image, digest: one }] });
    expect((await rebuild(digest)).outcome).toMatchObject({ kind: 'succeeded' });

    // The registry has lost it: the engine's copy is all there is.
    await rig.engine.json({
      method: 'POST',
      path: `/images/${rig.host}/stale:v1/tag`,
      query: { repo: `${rig.host}/lost`, tag: '1' },
    });
    const other = `sha256:${'0'.repeat(64)}` as Digest;
    const lost = { registry: rig.host, repository: 'lost', tag: '1', digest: other };
    const { outcome, text } = await rig.rebase({
      ...{ ...wanted, text: 'FROM $R/lost:1', made: found },
      ...{ strategy: 'rebuild', images: [lost] },
    });
    await rig.forget('lost:1');
    expect(outcome, text).toMatchObject({
      kind: 'failed',
      message: `${rig.host}/lost:1 has changed to ${other}, and the engine can get neither this nor a newer one`,
    });
  });
});

describe('the labels of what an image stands on', () => {
  it('are set, leave the cache warm, and give way to those of the Dockerfile and the step', async () => {
    const digest = await rig.publishBase('label-base:1', 'RUN echo one > /version');
    const name = 'org.opencontainers.image.base.name';
    const wanted = { name: 'labelled:v1', text: 'FROM $R/label-base:1\nRUN echo made > /made', files };
    await rig.build(wanted);
    expect(await labelsOf('labelled:v1')).toEqual({ [name]: `${rig.host}/label-base:1`, [digestLabel]: digest });
    expect((await rig.build(wanted)).text).toContain('CACHED');
    await rig.build({ ...wanted, text: `${wanted.text}\nLABEL ${name}=mine` });
    expect(await labelsOf('labelled:v1')).toEqual({ [name]: 'mine', [digestLabel]: digest });
    await rig.build({ ...wanted, step: { labels: [{ name: digestLabel, value: 'given' }] } });
    expect(await labelsOf('labelled:v1')).toMatchObject({ [digestLabel]: 'given' });
    await rig.build({ ...wanted, text: 'FROM scratch\nCOPY a /a' });
    expect(await labelsOf('labelled:v1')).toEqual({});
  });
});
