import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageDocuments } from '../../src/rebase/documents.ts';
import { exchange, type Exchanged } from '../../src/rebase/exchange.ts';
import { judge, lineLabel, type RebaseQuestion, type Verdict } from '../../src/rebase/judge.ts';
import { aBase, anApp, anImage, aQuestion, digestOf, dockerfile } from './documents.ts';

function because(change: Partial<RebaseQuestion>): string {
  const verdict = judge(aQuestion(change));
  return verdict.kind === 'safe' ? 'safe' : verdict.because;
}

/** A Dockerfile, and an image with the history that goes with it. */
function withText(text: string): Partial<RebaseQuestion> {
  return { recipe: { text, arguments: {}, platform: 'linux/amd64' } };
}

const options = { labels: { given: 'yes' }, created: '2026-06-01T00:00:00.000Z', digestOf };

function exchangeSafe(verdict: Verdict): Exchanged {
  if (verdict.kind !== 'safe') throw new Error(verdict.because);
  return exchange(verdict.rebase, options);
}

describe('judge', () => {
  it('lets an image through whose files and settings lie on top of its base', () => {
    const verdict = judge(aQuestion());
    expect(verdict).toMatchObject({
      kind: 'safe',
      destinations: [
        { line: 3, path: '/app', kind: 'directory' },
        { line: 4, path: '/app/a', kind: 'copy' },
      ],
    });
  });

  it.each([
    ['RUN true', 'line 2 of the Dockerfile is a RUN'],
    ['ADD https://example.com/a.tar /a', 'fetches from an address'],
    ['ADD git@example.com:a/b.git /a', 'fetches from an address'],
    ['ARG U=https://example.com/a\nADD $U /a', 'fetches from an address'],
    ['COPY --chown=node:node a /a', 'gives files to node:node'],
    ['COPY --chown=$U a /a', 'gives files to $U'],
    ['COPY --chmod=u+x a /a', 'has a mode that is no number'],
    ['COPY --exclude=b a /a', 'has the flag --exclude=b'],
    ['COPY <<E /a\nhello\nE', 'holds the file itself'],
    ['ONBUILD COPY a /a', 'is an ONBUILD'],
    ['USER node\nWORKDIR /a', "makes a directory for node, whose number is the base's"],
    ['EXPOSE 80-90', 'exposes more than single ports'],
    ['ENV B=$MORE', 'uses the environment of the base'],
    ['CMD ${MORE', 'the image was made by other instructions'],
    ['ENV B=${MORE', 'is not closed by }'],
    ['ARG A=1\nARG A=2', 'declares A a second time'],
    ['FETCH a', 'is a FETCH'],
    ['COPY a', 'makes no sense'],
    ['SHELL sh -c', 'is a SHELL without brackets'],
    ['ENV B', 'the image was made by other instructions'],
  ])('refuses %s', (instruction, why) => {
    expect(because(withText(`FROM example.com/base:1\n${instruction}\n`))).toContain(why);
  });

  it.each<[string, Partial<RebaseQuestion>, string]>([
    ['a Dockerfile without stages', withText('ARG A'), 'the Dockerfile has no FROM'],
    [
      'a stage of an ONBUILD',
      withText('FROM a AS b\nONBUILD COPY a /b\nFROM b'),
      'line 2 of the Dockerfile is an ONBUILD',
    ],
    [
      'an argument of an earlier stage',
      withText('FROM a AS b\nARG X=1\nFROM b\nENV Y=$X'),
      'an argument of an earlier stage',
    ],
    ['a front end of its own', withText(`# syntax=example.com/mine\n${dockerfile}`), 'a front end of its own'],
    [
      'another platform',
      { newBase: platformed('arm64') },
      'the new base is for linux/arm64, the image for linux/amd64',
    ],
    [
      'no line in the new base',
      { newBase: aBase('new', { Labels: {} }) },
      `the new base does not say of what line it is: set the label ${lineLabel}`,
    ],
    [
      'no line in the old base',
      { oldBase: aBase('old', { Labels: {} }) },
      'the old base does not say of what line it is',
    ],
    [
      'another line',
      { newBase: aBase('new', { Labels: { [lineLabel]: 'b' } }) },
      'the new base is of the line "b", the old one of "test"',
    ],
    [
      'triggers in the old base',
      { oldBase: aBase('old', { OnBuild: ['RUN x'] }) },
      'the old base has ONBUILD instructions',
    ],
    ['a base without a PATH', { newBase: aBase('new', { Env: [] }) }, 'only one of the bases has a PATH'],
    ['a field that nobody knows', { newBase: aBase('new', { Surprise: 1 }) }, 'has the field Surprise'],
    ['an image on another base', { oldBase: aBase('older') }, 'does not begin with the layers of the base'],
    [
      'settings from elsewhere',
      { image: anApp({ User: '7' }) },
      'User of the image is not what the Dockerfile makes of its old base',
    ],
    ['environment from elsewhere', { image: anApp({ Env: ['PATH=/bin', 'A=2'] }) }, 'Env of the image is not'],
    ['labels from elsewhere', { image: anApp({ Labels: { x: '1' } }) }, 'Labels of the image is not'],
    [
      'an index',
      { newBase: { manifest: { mediaType: 'application/vnd.oci.image.index.v1+json' }, config: {} } },
      'the new base is no single image',
    ],
  ])('refuses %s', (_, change, why) => {
    expect(because(change)).toContain(why);
  });

  it('refuses files of an image that is not surely what it was', () => {
    const text = dockerfile.replace('COPY a', 'COPY --from=example.com/tool:1 a');
    const change = { ...withText(text), doubtOf: () => 'which has changed' };
    expect(because(change)).toBe('files come from example.com/tool:1, which has changed');
    expect(because(withText(text))).toBe('safe');
  });

  it('asks nothing of labels that were given to the build', () => {
    const image = anApp({ Labels: { [lineLabel]: 'test', given: 'no' } });
    expect(because({ image })).toContain('Labels of the image');
    expect(because({ image, givenLabels: ['given'] })).toBe('safe');
  });
});

function platformed(architecture: string): ImageDocuments {
  const base = aBase('new');
  return { ...base, config: { ...(base.config as object), architecture } };
}

describe('exchange', () => {
  it('puts the layers and settings of the new base under what the Dockerfile has set', () => {
    const { config, manifest, baseLayers, ownLayers } = exchangeSafe(judge(aQuestion()));
    const document = JSON.parse(config.bytes.toString()) as Record<string, unknown>;
    expect(document).toMatchObject({
      created: options.created,
      config: {
        Env: ['PATH=/bin', 'MORE=2', 'A=1'],
        Entrypoint: ['run'],
        WorkingDir: '/app',
        Labels: { [lineLabel]: 'test', given: 'yes' },
      },
      rootfs: { diff_ids: ['root', 'new', 'directory', 'file'].map((name) => digestOf(`plain ${name}`)) },
    });
    // A new entry point takes the arguments of the base away.
    expect(document['config']).not.toHaveProperty('Cmd');
    const layers = [...baseLayers, ...ownLayers].map(({ digest }) => digest);
    expect(layers).toEqual(['root', 'new', 'directory', 'file'].map((name) => digestOf(name)));
    const put = JSON.parse(manifest.bytes.toString()) as { config: { digest: string; size: number } };
    expect(put.config).toMatchObject({ digest: config.digest, size: config.bytes.length });
    expect(digestOf(manifest.bytes)).toBe(manifest.digest);
  });

  it('keeps the media types of the image, whatever those of its base are', () => {
    const { manifest, config } = aBase('new');
    const oci = JSON.stringify(manifest)
      .replace('application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.oci.image.manifest.v1+json')
      .replaceAll('application/vnd.docker.image.rootfs.diff.tar.gzip', 'application/vnd.oci.image.layer.v1.tar+gzip');
    const made = exchangeSafe(judge(aQuestion({ newBase: { manifest: JSON.parse(oci) as unknown, config } })));
    expect(made.manifest.bytes.toString()).not.toContain('oci');
  });

  it('leaves out what tells of the build of the old image', () => {
    const image = anApp();
    const config = { ...(image.config as object), container: 'x', docker_version: '20', 'moby.buildkit.cache.v0': 'y' };
    const made = exchangeSafe(judge(aQuestion({ image: { ...image, config } })));
    expect(Object.keys(JSON.parse(made.config.bytes.toString()) as object).sort()).toEqual(
      ['architecture', 'config', 'created', 'history', 'os', 'rootfs'].sort(),
    );
  });
});

/** A document with something else in one place. */
function tampered(document: unknown): fc.Arbitrary<unknown> {
  if (typeof document !== 'object' || document === null) return fc.jsonValue();
  const keys = Object.keys(document);
  const change = keys.map((key) =>
    tampered((document as Record<string, unknown>)[key]).map((value) =>
      Array.isArray(document)
        ? document.map((one: unknown, index) => (String(index) === key ? value : one))
        : { ...document, [key]: value },
    ),
  );
  return fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), ...change);
}

function tamperedImage(image: ImageDocuments): fc.Arbitrary<ImageDocuments> {
  return fc.oneof(
    tampered(image.manifest).map((manifest) => ({ ...image, manifest })),
    tampered(image.config).map((config) => ({ ...image, config })),
  );
}

function isOnNewBase(made: Exchanged, { newBase, image, oldBase }: RebaseQuestion): boolean {
  const idsOf = ({ config }: { readonly config: unknown }): readonly string[] =>
    (config as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
  const ids = idsOf({ config: JSON.parse(made.config.bytes.toString()) as unknown });
  const wanted = [...idsOf(newBase), ...idsOf(image).slice(idsOf(oldBase).length)];
  return JSON.stringify(ids) === JSON.stringify(wanted);
}

describe('documents from anywhere', () => {
  const usual = aQuestion();
  const sides = ['oldBase', 'newBase', 'image'] as const;

  it.each(sides)('never make judge or exchange throw: %s', (side) => {
    fc.assert(
      fc.property(tamperedImage(usual[side]), (documents) => {
        const question = { ...usual, [side]: documents };
        const verdict = judge(question);
        if (verdict.kind === 'safe') expect(isOnNewBase(exchange(verdict.rebase, options), question)).toBe(true);
        else expect(verdict.because).not.toBe('');
      }),
      { numRuns: 400 },
    );
  });

  it('never make a Dockerfile throw', () => {
    const words = fc.constantFrom(
      'FROM',
      'COPY',
      'ADD',
      'ENV',
      'ARG',
      'WORKDIR',
      '--from=',
      '--chown=1',
      '$A',
      '${A:-',
      '"',
      "'",
      '\\',
      '\n',
      ' ',
      '=',
      '[',
      '"a"',
      ']',
      '/a',
      'a',
      '<<E',
      '#',
      'LABEL',
      'SHELL',
      'EXPOSE',
      'VOLUME',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 60 }), (parts) => {
        expect(['safe', 'unsafe']).toContain(
          judge(aQuestion(withText(`FROM example.com/base:1\n${parts.join(' ')}`))).kind,
        );
      }),
      { numRuns: 400 },
    );
  });

  it('are refused when they nest without end', () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    let value: unknown = deep(500);
    for (let more = 0; more < 100; more += 1) value = Array.from({ length: 1 }, () => value);
    expect(judge(aQuestion({ image: anApp({ Healthcheck: value }) })).kind).toBe('unsafe');
    expect(judge(aQuestion({ image: anImage({ layers: [], history: [] }) })).kind).toBe('unsafe');
  });
});
