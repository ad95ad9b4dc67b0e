import { createHash } from 'node:crypto';
import type { Digest } from '../../src/domain/digest.ts';
import { readDependencies } from '../../src/dockerfile/dependencies.ts';
import type { ImageDocuments } from '../../src/rebase/documents.ts';
import { lineLabel, type RebaseQuestion } from '../../src/rebase/judge.ts';

const types = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

export function digestOf(bytes: Buffer | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** What an image is made of, for tests: each layer by a name. */
export interface ImagePlan {
  readonly layers: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly history: readonly Readonly<Record<string, unknown>>[];
  readonly more?: Readonly<Record<string, unknown>>;
}

/** The documents of an image as Docker's engine writes them. */
export function anImage({ layers, settings = {}, history, more = {} }: ImagePlan): ImageDocuments {
  const config = {
    ...{ architecture: 'amd64', os: 'linux', created: '2026-01-01T00:00:00Z', config: settings, history },
    rootfs: { type: 'layers', diff_ids: layers.map((name) => digestOf(`plain ${name}`)) },
    ...more,
  };
  const described = layers.map((name) => ({ mediaType: types.layer, size: 100, digest: digestOf(name) }));
  const text = JSON.stringify(config);
  return {
    manifest: {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, size: text.length, digest: digestOf(text) },
      layers: described,
    },
    config,
  };
}

const imported = { created: '2026-01-01T00:00:00Z', comment: 'Imported from -' };
const labels = { [lineLabel]: 'test' };

/** A base with one layer of its own. */
export function aBase(name: string, settings: Readonly<Record<string, unknown>> = {}): ImageDocuments {
  const own = { created: '2026-01-02T00:00:00Z', created_by: `RUN make ${name}` };
  const usual = { Env: ['PATH=/bin'], Labels: labels, Cmd: ['sh'] };
  return anImage({ layers: ['root', name], settings: { ...usual, ...settings }, history: [imported, own] });
}

export const dockerfile = 'FROM example.com/base:1\nENV A=1\nWORKDIR /app\nCOPY a /app/a\nENTRYPOINT ["run"]\n';

/** What BuildKit makes of {@link dockerfile} on `aBase('old')`. */
export function anApp(settings: Readonly<Record<string, unknown>> = {}): ImageDocuments {
  const entry = (created_by: string, more = {}) => ({ created: '2026-01-03T00:00:00Z', created_by, ...more });
  const empty = { empty_layer: true };
  return anImage({
    layers: ['root', 'old', 'directory', 'file'],
    settings: {
      ...{ Env: ['PATH=/bin', 'A=1'], Labels: labels, Entrypoint: ['run'], WorkingDir: '/app', OnBuild: null },
      ...settings,
    },
    history: [
      imported,
      { created: '2026-01-02T00:00:00Z', created_by: 'RUN make old' },
      entry('ENV A=1', empty),
      entry('WORKDIR /app'),
      entry('COPY a /app/a # buildkit'),
      entry('ENTRYPOINT ["run"]', empty),
    ],
  });
}

/** A question to which the answer is yes, but for what is changed. */
export function aQuestion(change: Partial<RebaseQuestion> = {}): RebaseQuestion {
  const { recipe = { text: dockerfile, arguments: {}, platform: 'linux/amd64' } } = change;
  return {
    recipe,
    dependencies: readDependencies(recipe.text, recipe),
    oldBase: aBase('old'),
    newBase: aBase('new', { Env: ['PATH=/bin', 'MORE=2'] }),
    image: anApp(),
    givenLabels: [],
    doubtOf: () => undefined,
    ...change,
  };
}
