import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { aliasKeys, mountKeys, networkKeys, secretKeys, stepKeys, taskKeys, volumeKeys } from '../../src/task/keys.ts';
import { defaultLimits } from '../../src/task/limits.ts';
import type { FieldTable } from '../../src/task/yaml/fields.ts';
import { plan } from './rig.ts';

interface Definition {
  readonly description?: string;
  readonly properties: Readonly<
    Record<string, { readonly description?: string; readonly type?: unknown; readonly $ref?: string }>
  >;
}

interface TaskSchema extends Definition {
  readonly $defs: Readonly<Record<string, Definition>>;
}

const root = join(import.meta.dirname, '../..');
const schema = JSON.parse(readFileSync(join(root, 'schemas/task.schema.json'), 'utf8')) as TaskSchema;
const validate = new Ajv2020({ allowUnionTypes: true, strictRequired: false }).compile(schema);

const tables: readonly (readonly [string, FieldTable, Definition])[] = [
  ['task', taskKeys, schema],
  ['step', stepKeys, schema.$defs['step']!],
  ['mount', mountKeys, schema.$defs['mount']!],
  ['network', networkKeys, schema.$defs['network']!],
  ['volume', volumeKeys, schema.$defs['volume']!],
  ['secret', secretKeys, schema.$defs['secret']!],
  ['alias', aliasKeys, schema.$defs['alias']!],
];

describe('the schema of task files', () => {
  it.each(tables)('has the keys of a %s that the parser knows, and no other', (_name, table, definition) => {
    expect(Object.keys(definition.properties).sort()).toEqual(Object.keys(table).sort());
  });

  it.each(tables)('says of every key of a %s what it does', (_name, table, definition) => {
    for (const [key, { description, $ref }] of Object.entries(definition.properties))
      expect([key, description ?? $ref]).toEqual([key, expect.stringMatching(/\S{4}/)]);
    for (const [key, type] of Object.entries(table)) {
      const property = definition.properties[key]!;
      if (type === 'integer') expect(property).toMatchObject({ type: 'integer' });
      if (type === 'boolean') expect(property).toMatchObject({ $ref: '#/$defs/switch' });
      if (type === 'strings')
        expect(property).toMatchObject({ type: ['array', 'null'], items: { $ref: '#/$defs/text' } });
    }
  });

  it('has the limit of steps that the parser has', () => {
    expect(schema.properties['steps']).toMatchObject({ maxItems: defaultLimits.steps });
  });

  it.each(['acr-tasks/build-test-hello-world.yaml', 'acr-tasks/network-curl.yaml', 'acr-tasks/simpletask.yaml'])(
    'takes %s',
    (file) => {
      const task: unknown = parse(readFileSync(join(import.meta.dirname, 'corpus/fixtures', file), 'utf8'));
      expect(validate(task)).toBe(true);
    },
  );

  it.each([
    [{ steps: [{ cmd: 'a', wehn: ['b'] }] }],
    [{ steps: [{ cmd: 'a', push: ['b'] }] }],
    [{ steps: [{}] }],
    [{ steps: [{ cmd: 'a', timeout: '5' }] }],
    [{ steps: [{ cmd: 'a', when: '-' }] }],
    [{ steps: {} }],
    [{ version: 'v2' }],
    [{ steps: [{ id: 'a b', cmd: 'a' }] }],
    [{ steps: [{ cmd: 'a', retries: -1 }] }],
    [{ steps: [{ cmd: 'a', runOn: 'never' }] }],
    [{ volumes: [{ name: 'a', secret: {} }] }],
    [{ networks: [{}] }],
    [{ alias: { values: { 'a-b': 'c' } } }],
  ])('refuses %j, as the parser does or warns', (task) => {
    expect(validate(task)).toBe(false);
    const result = plan(JSON.stringify({ version: 'v1.1.0', ...task }));
    expect(result.ok && result.warnings.length === 0).toBe(false);
  });

  const text = fc.stringMatching(/^img[a-z0-9]{1,5}(?:\/[a-z0-9]{1,4})?$/);
  const texts = fc.array(text, { maxLength: 3 });
  const common = {
    timeout: fc.integer({ min: -1, max: 1e6 }),
    startDelay: fc.nat(100),
    ignoreErrors: fc.constantFrom(true, false),
    runOn: fc.constantFrom('success', 'failure', 'always'),
    exitedWith: fc.array(fc.nat(255)),
  };
  const tries = {
    retries: fc.nat(5),
    retryDelay: fc.nat(9),
    repeat: fc.nat(5),
    retryOnErrors: texts,
    env: fc.array(text.map((name) => `A_${name.replaceAll('/', '_')}=1`)),
  };
  const cmd = fc.record(
    {
      cmd: text,
      ...common,
      ...tries,
      keep: fc.boolean(),
      detach: fc.boolean(),
      pull: fc.boolean(),
      user: text,
      ports: fc.constant(['80:80', 81]),
      cpus: fc.constantFrom(1, '0.5'),
      entryPoint: text,
      privileged: fc.boolean(),
      workingDirectory: text,
      memory: fc.constant('64m'),
      network: fc.constant('host'),
    },
    { requiredKeys: ['cmd'] },
  );
  const build = fc.record(
    { build: fc.constant('-t a/b:1 .'), ...common, ...tries, cache: fc.constantFrom('enabled', 'Disabled') },
    { requiredKeys: ['build'] },
  );
  const push = fc.record({ push: fc.array(text, { minLength: 1 }), ...common }, { requiredKeys: ['push'] });
  const task = fc.record(
    {
      version: fc.constantFrom('v1.0.0', 'v1.1.0', 'V1.1.0', '1.0-preview-1'),
      steps: fc.array(fc.oneof(cmd, build, push), { maxLength: 6, minLength: 1 }),
      stepTimeout: fc.nat(1000),
      workingDirectory: text,
      networks: fc.constant([{ name: 'n1', isDefault: true, ipv6: false }]),
      volumes: fc.constant([{ name: 'v1', secret: { a: 'YQ==' } }]),
      secrets: fc.constant([{ id: 's1', keyvault: 'https://v.example/secrets/s1' }]),
    },
    { requiredKeys: ['steps'] },
  );

  it('takes what the parser takes without a word, and the parser what the schema takes', () => {
    fc.assert(
      fc.property(task, (one) => {
        expect(validate(one)).toBe(true);
        const result = plan(JSON.stringify(one, null, 1));
        // That a step can never run is about the graph, of which the schema knows nothing.
        expect(result).toMatchObject({ ok: true });
        expect(result.warnings.filter(({ code }) => code !== 'run-on')).toEqual([]);
      }),
    );
  });
});
