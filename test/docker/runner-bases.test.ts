import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageDependencies, ImageIdentity } from '../../src/domain/dependencies.ts';
import type { BuildStep } from '../../src/domain/step.ts';
import { connectEngine, createDockerRunner, type DockerRunner, type Engine } from '../../src/runner/docker/index.ts';
import type { Context } from '../../src/source/ports.ts';
import {
  aBuild,
  aContext,
  aPush,
  aSetup,
  engineHost,
  recordIo,
  startRegistry,
  type RecordedIo,
  type TestRegistry,
} from '../runner/rig.ts';

const unique = `${process.pid}-${Date.now()}`;
const made = new Set<string>();
const digestPattern = /^sha256:[0-9a-f]{64}$/;

let engine: Engine;
let registry: TestRegistry;

function aRunner(builder: 'auto' | 'classic' = 'auto'): DockerRunner {
  const options = { engine, installation: 'tests', registryHost: registry.host, clock: { now: Date.now } };
  return createDockerRunner({ ...options, builder });
}

interface Built {
  readonly io: RecordedIo;
  readonly found: readonly ImageDependencies[];
}

async function build(runner: DockerRunner, context: Context, step: Partial<BuildStep>): Promise<Built> {
  const found: ImageDependencies[] = [];
  const io = { ...recordIo(), builtOn: (all: readonly ImageDependencies[]) => void found.push(...all) };
  for (const tag of step.tags ?? []) made.add(tag);
  const run = await runner.prepare(aSetup({ context }));
  const outcome = await run.run(aBuild(step), io, new AbortController().signal);
  await run.dispose();
  await runner.settle();
  expect(outcome, io.text()).toMatchObject({ kind: 'succeeded' });
  return { io, found };
}

async function forget(name: string): Promise<void> {
  await engine.json({ method: 'DELETE', path: `/images/${name}`, query: { force: '1' } }).catch(() => undefined);
}

/** Puts an image into the registry; on the engine it stays only when it is to. */
async function publish(name: string, text: string, { stays = false } = {}): Promise<string> {
  const image = `${registry.host}/${name}`;
  const runner = aRunner();
  const dockerfile = `FROM busybox\nLABEL by="${unique} ${text}"\nRUN echo ${text} > /text && mkdir -p /empty`;
  await build(runner, aContext({ Dockerfile: dockerfile }), { tags: [image] });
  const run = await runner.prepare(aSetup());
  const io = recordIo();
  await run.run(aPush(image), io, new AbortController().signal);
  await run.dispose();
  const digest = io.images[0]?.digest ?? '';
  expect(digest).toMatch(digestPattern);
  if (!stays) await forget(image);
  return digest;
}

beforeAll(async () => {
  engine = connectEngine({ host: engineHost });
  registry = await startRegistry();
});

afterAll(async () => {
  for (const tag of made) await forget(tag);
  await registry.stop();
  engine.close();
});

const nameOf = ({ repository, tag }: ImageIdentity): string => `${repository}:${tag ?? ''}`;

/** What BuildKit says to have resolved; of images that are only copied from it does not say the digest. */
function resolvedBy(io: RecordedIo): { readonly names: Set<string>; readonly digests: Set<string> } {
  const found = io.text().matchAll(/(?:FROM|resolve) \S+?\/([^\s@]+)(@sha256:[0-9a-f]{64})?/g);
  const all = [...found].map(([, name = '', digest = '']) => ({ name, digest }));
  const named = all.filter(({ digest }) => digest !== '');
  return {
    names: new Set(all.map(({ name }) => name)),
    digests: new Set(named.map(({ name, digest }) => `${name}${digest}`)),
  };
}

describe('what a build stands on', () => {
  beforeAll(async () => {
    for (const name of ['run:v1', 'build:v1', 'tool:v1', 'linux:amd64']) await publish(name, name.replace(':', '-'));
  });

  const last = 'FROM $R/run:v1\n';
  it.each([
    ['one stage', 'FROM $R/run:v1', 'run:v1', []],
    ['a stage through another', 'FROM $R/run:v1 AS Base\nFROM base', 'run:v1', []],
    ['a stage that is copied from', `FROM $R/build:v1 AS b\n${last}COPY --from=B /text /t`, 'run:v1', ['build:v1']],
    ['a stage by number', `FROM $R/build:v1\n${last}COPY --from=0 /text /t`, 'run:v1', ['build:v1']],
    ['a stage that nothing reaches', `FROM $R/build:v1 AS b\n${last}`, 'run:v1', []],
    ['an image that is copied from', `${last}COPY --from=$HOST/tool:v1 /text /t`, 'run:v1', ['tool:v1']],
    ['an image that is mounted', `${last}RUN --mount=from=$HOST/tool:v1,target=/x true`, 'run:v1', ['tool:v1']],
    ['scratch', 'FROM $R/build:v1 AS b\nFROM scratch\nCOPY --from=b /text /t', undefined, ['build:v1']],
    ['an argument', 'ARG V\nFROM $R/run:${V:-v1}', 'run:v1', []],
    ['arguments made of others', 'ARG A=run B=$A:v1\nFROM ${R}/"$B"', 'run:v1', []],
    ['the platform', 'FROM $R/$TARGETOS:${TARGETARCH}', 'linux:amd64', []],
    ['continuation lines', 'FROM \\\n # why\n\n  $R/run:v1 \\\n  AS x', 'run:v1', []],
    ['a trigger of a stage', 'FROM $R/run:v1 AS x\nONBUILD RUN true\nFROM x', 'run:v1', []],
    ['the escape directive', '# escape=`\nARG R\nFROM `\n$R/run:v1', 'run:v1', []],
    ['a byte order mark and CRLF', '\uFEFFARG R\r\nFROM $R/run:v1\r\nRUN true\r\n', 'run:v1', []],
  ])('is what BuildKit resolves: %s', async (_, text, runtime, buildTime) => {
    const declared = text.includes('ARG R') ? text : `ARG R\n${text}`;
    const dockerfile = declared.replaceAll('$HOST', registry.host);
    const built = await build(aRunner(), aContext({ Dockerfile: dockerfile }), {
      noCache: true,
      arguments: [{ name: 'R', value: registry.host, isSecret: false }],
    });
    const [found] = built.found;
    expect(built.found).toHaveLength(1);
    expect(found?.image).toBeUndefined();
    expect(found?.runtime && nameOf(found.runtime)).toBe(runtime);
    expect(found?.buildTime.map(nameOf)).toEqual(buildTime);
    const all = [...(found?.runtime ? [found.runtime] : []), ...(found?.buildTime ?? [])];
    for (const { digest } of all) expect(digest).toMatch(digestPattern);
    const resolved = new Set(all.map((image) => `${nameOf(image)}@${image.digest ?? ''}`));
    expect(new Set(all.map(nameOf))).toEqual(resolvedBy(built.io).names);
    for (const one of resolvedBy(built.io).digests) expect(resolved).toContain(one);
  });

  it('is said for each of its names, with the commit of the context', async () => {
    const tags = [`${registry.host}/app:${unique}`, `${registry.host}/app:latest`];
    const context = { ...aContext({ 'a/D': `FROM ${registry.host}/run:v1` }), commit: 'abc' };
    const { found } = await build(aRunner(), context, { tags, dockerfile: 'a/D' });
    expect(found.map(({ image }) => image?.tag)).toEqual([unique, 'latest']);
    expect(found.map(({ commit }) => commit)).toEqual(['abc', 'abc']);
  });

  it('is said with the platforms that each image is read for, all of them', async () => {
    const { platform: own } = await engine.version();
    const other = own === 'linux/arm64' ? 'linux/amd64' : 'linux/arm64';
    const from = `FROM --platform=$BUILDPLATFORM ${registry.host}/run:v1 AS a`;
    const lines = [
      from,
      `FROM ${registry.host}/run:v1`,
      'COPY --from=a /text /a',
      `COPY --from=${registry.host}/tool:v1 /text /b`,
    ];
    const { found } = await build(aRunner(), aContext({ Dockerfile: lines.join('\n') }), { platform: other });
    expect(found[0]?.runtime?.platforms).toEqual([own, other].map((platform) => ({ platform })));
    expect(found[0]?.buildTime[0]?.platforms).toEqual([{ platform: other }]);
  });

  it('keeps secret arguments out of sight', async () => {
    const secret = { name: 'S', value: 'run', isSecret: true };
    const long = { name: 'L', value: registry.host, isSecret: true };
    const { found } = await build(aRunner(), aContext({ Dockerfile: 'ARG L\nARG S\nFROM $L/$S:v1' }), {
      arguments: [secret, long],
    });
    expect(JSON.stringify(found)).not.toContain(registry.host);
  });

  it('is known for the classic builder too', async () => {
    const digest = await publish('classic:v1', 'classic', { stays: true });
    const dockerfile = `FROM ${registry.host}/classic:v1\nRUN true`;
    const { found } = await build(aRunner('classic'), aContext({ Dockerfile: dockerfile }), {});
    expect(found[0]?.runtime).toMatchObject({ repository: 'classic', digest });
  });

  it('does not fail a build that cannot be looked into', async () => {
    const context = { ...aContext({ Dockerfile: 'FROM busybox' }), readFile: () => Promise.reject(new Error('no')) };
    const { found, io } = await build(aRunner(), context, {});
    expect(found).toEqual([]);
    expect(io.text()).toContain('warning: not all that the image stands on is known');
  });

  it('counts the triggers that an image on the engine has', async () => {
    await publish('tool:v2', 'two', { stays: true });
    const parent = `${registry.host}/parent:${unique}`;
    const trigger = `FROM busybox\nONBUILD RUN true\nONBUILD COPY --from=${registry.host}/tool:v2 /text /x`;
    await build(aRunner(), aContext({ Dockerfile: trigger }), { tags: [parent] });
    const { found } = await build(aRunner('classic'), aContext({ Dockerfile: `FROM ${parent}` }), {});
    expect(found[0]?.buildTime.map(nameOf)).toEqual(['tool:v2']);
  });
});

describe.each(['auto', 'classic'] as const)('a base in our own registry, with the builder "%s"', (builder) => {
  const name = `moving-${builder}:v1`;

  it('counts as it is there now, not as the engine remembers it', async () => {
    const first = await publish(name, 'one', { stays: true });
    const dockerfile = `FROM ${registry.host}/${name}\nRUN cat /text`;
    const before = await build(aRunner(builder), aContext({ Dockerfile: dockerfile }), {});
    expect(before.found[0]?.runtime?.digest).toBe(first);

    // Somebody else pushes: the engine's own copy stays what it was.
    const old = (await engine.json({ method: 'GET', path: `/images/${registry.host}/${name}/json` })) as { Id: string };
    const second = await publish(name, 'two');
    const [repo, tag] = [`${registry.host}/${name.split(':')[0] ?? ''}`, 'v1'];
    await engine.json({ method: 'POST', path: `/images/${old.Id}/tag`, query: { repo, tag } });
    expect(second).not.toBe(first);

    const after = await build(aRunner(builder), aContext({ Dockerfile: dockerfile }), { noCache: true });
    expect(after.found[0]?.runtime?.digest).toBe(second);
    expect(after.io.text()).toContain('has changed in its registry');
    expect(after.io.lines.some(({ text }) => /(^| )two$/.test(text))).toBe(true);
    made.add(`${registry.host}/${name}`).add(old.Id);
  });
});

describe('a base that the engine alone has', () => {
  it('is used although our registry does not know it, without a warning', async () => {
    const base = `${registry.host}/unpushed:${unique}`;
    await build(aRunner(), aContext({ Dockerfile: 'FROM busybox\nENV A=1' }), { tags: [base] });
    const { io, found } = await build(aRunner(), aContext({ Dockerfile: `FROM ${base}` }), {});
    expect(io.text()).not.toContain('warning');
    const named = { registry: registry.host, repository: 'unpushed', tag: unique };
    expect(found[0]?.runtime).toEqual({ ...named, platforms: [{ platform: expect.any(String) as string }] });
  });
});
