import { describe, expect, it } from 'vitest';
import type { ImageDependencies } from '../../src/domain/dependencies.ts';
import { describeDependencies, formatDependencies, maskDependencies } from '../../src/domain/dependency-document.ts';
import type { Digest } from '../../src/domain/digest.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;

const app = { registry: 'reg:5000', repository: 'app', tag: 'v1' };
const node = { registry: 'docker.io', repository: 'library/node', tag: '20', digest: digest('b') };
const tools = { registry: 'reg:5000', repository: 'tools', digest: digest('c') };
const built: ImageDependencies = { image: app, runtime: node, buildTime: [tools], commit: 'abc123' };

describe('the dependency list of a run', () => {
  it('has the original’s shape, and the digests of what was pushed', () => {
    const pushed = [
      { ...app, digest: digest('0') },
      { ...app, digest: digest('a') },
      { ...app, tag: 'v2', digest: digest('d') },
    ];
    expect(describeDependencies([built], pushed)).toEqual([
      {
        image: { ...app, digest: digest('a'), reference: 'reg:5000/app:v1' },
        'runtime-dependency': {
          registry: 'registry.hub.docker.com',
          repository: 'library/node',
          tag: '20',
          digest: digest('b'),
          reference: 'docker.io/library/node:20',
        },
        'buildtime-dependency': [{ ...tools, reference: `reg:5000/tools@${digest('c')}` }],
        git: { 'git-head-revision': 'abc123' },
      },
    ]);
  });

  it('leaves out what is not known', () => {
    expect(describeDependencies([{ buildTime: [] }, { image: app, buildTime: [] }], [])).toEqual([
      { image: null, git: {} },
      { image: { ...app, reference: 'reg:5000/app:v1' }, git: {} },
    ]);
  });

  it('names each image once: the last of its builds counts', () => {
    const again = { ...built, runtime: tools };
    const entries = describeDependencies([built, { buildTime: [] }, again, { buildTime: [] }], []);
    expect(entries.map(({ image }) => image?.reference)).toEqual(['reg:5000/app:v1', undefined]);
    expect(entries[0]?.['runtime-dependency']?.repository).toBe('tools');
  });

  it('is YAML in the log', () => {
    expect(formatDependencies(describeDependencies([built, { buildTime: [] }], [])).join('\n')).toBe(
      `- image:
    registry: reg:5000
    repository: app
    tag: v1
  runtime-dependency:
    registry: registry.hub.docker.com
    repository: library/node
    tag: "20"
    digest: ${digest('b')}
  buildtime-dependency:
  - registry: reg:5000
    repository: tools
    digest: ${digest('c')}
  git:
    git-head-revision: abc123
- image: null
  git: {}`,
    );
  });

  it('shows no secret that stands in a name', () => {
    const mask = (text: string): string => text.replaceAll('app', '***').replaceAll('node', '***');
    expect(maskDependencies([built, { buildTime: [app] }], mask)).toEqual([
      { ...built, image: { ...app, repository: '***' }, runtime: { ...node, repository: 'library/***' } },
      { buildTime: [{ ...app, repository: '***' }] },
    ]);
  });
});
