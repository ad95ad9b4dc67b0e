import { describe, expect, it } from 'vitest';
import { listAliasSources } from '../../src/task/plan-task.ts';
import { errorsOf, planned, render, run, values, warningsOf } from './rig.ts';

/** The cmd of the only step of a v1.1.0 task. */
function cmdOf(cmd: string, block = ''): string {
  const plan = planned(`version: v1.1.0\n${block}steps:\n  - cmd: ${cmd}\n`);
  const [step] = plan.steps;
  return step?.kind === 'cmd' ? step.cmd : '';
}

const repo = 'alias:\n  values:\n    repo: me/app\n    empty: ""\n    id2: "{{.Run.ID}}"\n';

describe('aliases in the text of a task', () => {
  it.each([
    ['x $repo y', 'x me/app y'],
    ['x $repo$repo', 'x me/appme/app'],
    ['x $repo:$ID', 'x me/app:run1'],
    ['x $unknown y', 'x $unknown y'],
    ['x $unknown$repo', 'x $unknown$repo'],
    ['x $$repo', 'x $repo'],
    ['x $repo$$', 'x me/app$'],
    ['x $$$repo', 'x $me/app'],
    ["x '$(date) ${HOME} .*$'", "x '$(date) ${HOME} .*$'"],
    ['x $repo_a', 'x me/app_a'],
    ['x a$empty.b', 'x a.b'],
    ['x $id2', 'x run1'],
    ['x $RegistryName $Registry', 'x registry registry.example.com'],
  ])('turns %j into %j', (text, expected) => {
    expect(cmdOf(text, repo)).toBe(expected);
  });

  it('takes another directive, and then leaves $ alone', () => {
    const block = 'alias:\n  directive: "%"\n  values: {repo: me/app}\n';
    expect(cmdOf('x $repo %repo %%repo', block)).toBe('x $repo me/app %repo');
  });

  it('renders the block itself', () => {
    expect(cmdOf('$img', 'alias:\n  values:\n    img: "{{.Values.REGISTRY1}}/x"\n')).toBe('one.example.com/x');
  });

  it('lets the task override built-in aliases, in the text and for images', () => {
    const text =
      'version: v1.1.0\nalias:\n  values: {bash: my/bash, Registry: r.example}\nsteps:\n  - cmd: bash $Registry\n';
    expect(planned(text).steps[0]).toMatchObject({ image: 'my/bash', arguments: ['r.example'] });
  });

  it('ends the block at the next key at the left, wherever the block stands', () => {
    const text = 'version: v1.1.0\nsteps:\n  - cmd: $img\nalias:\n  values:\n    img: a/b\nenv: [A=$img]\n';
    expect(planned(text).steps[0]).toMatchObject({ image: 'a/b', env: [{ name: 'A', value: 'a/b' }] });
  });

  it('replaces inside keys and quotes, and not in comment lines', () => {
    const text = 'version: v1.1.0\nalias: {values: {k: cmd}}\nsteps:\n  # $k\n  - $k: "$k"\n';
    expect(planned(text).steps[0]).toMatchObject({ cmd: 'cmd' });
  });

  it.each(['v1.0.0', 'V1.1.0', '1.0-preview-1'])('are off in version %s', (version) => {
    expect(planned(`version: ${version}\nsteps:\n  - cmd: bash $Nope\n`).steps[0]).toMatchObject({ image: 'bash' });
  });

  it.each(['"v1.1.0"', "'v1.1.0'", 'v1.1.0 # newest'])('are on in version %s', (version) => {
    expect(planned(`steps:\n  - cmd: bash\nversion: ${version}\n`).steps[0]).toMatchObject({
      image: 'mcr.microsoft.com/acr/bash:2ff604c',
    });
  });

  it('expands the first word of cmd only as a whole', () => {
    expect(planned('version: v1.1.0\nsteps:\n  - cmd: bash:3 a\n').steps[0]).toMatchObject({ image: 'bash:3' });
    expect(planned('version: v1.1.0\nsteps:\n  - cmd: -t bash a\n').steps[0]).toMatchObject({ image: 'bash' });
  });

  it('takes the images of the installation', () => {
    const options = { imageAliases: { bash: 'local/bash:1' } };
    expect(planned('version: v1.1.0\nsteps:\n  - cmd: bash\n', options).steps[0]).toMatchObject({
      image: 'local/bash:1',
    });
  });
});

describe('files of aliases', () => {
  const text =
    'version: v1.1.0\nalias:\n  src: [one.yaml, two.yaml]\n  values: {c: own}\nsteps:\n  - cmd: x $a $b $c\n';
  const files: Record<string, string> = { 'one.yaml': 'a: one\nb: one\nc: one\n', 'two.yaml': 'b: two\nc: two\n' };
  const readAliasSource = (source: string): string => {
    const file = files[source];
    if (file === undefined) throw new Error('there is no such file');
    return file;
  };

  it('come after the values, the later before the earlier', () => {
    expect(planned(text, { readAliasSource }).steps[0]).toMatchObject({ arguments: ['one', 'two', 'own'] });
  });

  it('are listed for those who fetch them beforehand', () => {
    expect(listAliasSources(text, { run, values, render })).toEqual(['one.yaml', 'two.yaml']);
    expect(listAliasSources('steps: [', { run, values, render })).toEqual([]);
  });

  it('are an error at their place when they cannot be read', () => {
    const wrong = text.replace('two.yaml', 'no.yaml');
    expect(errorsOf(wrong, { readAliasSource })).toEqual([
      '3:19 the alias source "no.yaml" cannot be used: there is no such file',
    ]);
  });
});

describe('faults in aliases', () => {
  it.each([
    ['alias: {values: {a-b: x}}', '2:18 "a-b" cannot be the name of an alias'],
    ['alias: {values: {a: [x]}}', '2:21 the alias "a" must be a text, and this is a list'],
    ['alias: {directive: ab}', '2:20 directive must be one character that is neither a letter nor a digit'],
    ['alias: {directive: a}', '2:20 directive must be one character that is neither a letter nor a digit'],
    ['alias: [a]', '2:8 alias must be a map of properties, and this is a list'],
  ])('%s', (block, message) => {
    expect(errorsOf(`version: v1.1.0\n${block}\nsteps:\n  - cmd: bash\n`)).toEqual([message]);
  });

  it('are told together with those of the rest', () => {
    const text = 'version: v1.1.0\nalias: {values: {a-b: x}}\nsteps:\n  - cmd: bash\n    timeout: x\n';
    expect(errorsOf(text)).toHaveLength(2);
  });

  it('a text that grows without bound is refused', () => {
    const text = `version: v1.1.0\nalias: {values: {a: "${'x'.repeat(5000)}"}}\nsteps: []\nx: ${'$a '.repeat(5000)}\n`;
    expect(errorsOf(text)).toEqual(['1:1 the file becomes too long when its aliases are replaced']);
  });

  it('warns of what is probably meant to be an alias', () => {
    expect(warningsOf('version: v1.1.0\nsteps:\n  - cmd: bash "\'$Registri\'"\n')).toContain(
      '3:17 there is no alias "Registri"; the text stays as it is',
    );
    expect(warningsOf('steps:\n  - cmd: bash "\'$Registry\'"\n')).toContain(
      '2:17 $Registry is an alias, and aliases need version v1.1.0',
    );
    expect(warningsOf('version: v1.1.0\nsteps:\n  - cmd: crul x\n')).toContain(
      '3:10 "crul" is taken as the name of an image',
    );
  });
});
