import { describe, expect, it } from 'vitest';
import type { Destination } from '../../src/rebase/effects.ts';
import { compareLayouts, compareOwn, needsOwn, type LayerIndex, type Mark } from '../../src/rebase/layout.ts';

function aLayer(marks: Readonly<Record<string, Mark>>, opaque: readonly string[] = []): LayerIndex {
  const shaping = Object.keys(marks).filter((path) => marks[path] !== 'f');
  const filled = new Set(Object.keys(marks).map((path) => path.slice(0, path.lastIndexOf('/'))));
  return { marks: new Map(Object.entries(marks)), opaque: new Set(opaque), filled, shaping: shaping.sort() };
}

const directory = 'd:755:0:0';
const copyTo = (path: string): Destination => ({ line: 2, path, kind: 'copy' });
const make = (path: string): Destination => ({ line: 2, path, kind: 'directory' });

function compare(one: Destination, before: readonly LayerIndex[], after: readonly LayerIndex[]): string | undefined {
  return compareLayouts([one], before, after)?.replace(/^line 2 of the Dockerfile writes to \S+, and /, '');
}

const root = aLayer({ '/etc': directory, '/bin': directory, '/etc/passwd': 'f', '/lib': 'l:usr/lib' });

describe('two bases are the same for what is put on top', () => {
  it.each<[string, Destination, LayerIndex, LayerIndex]>([
    ['other files beside', copyTo('/etc/app'), aLayer({ '/etc/one': 'f' }), aLayer({ '/etc/two': 'f' })],
    ['other directories elsewhere', copyTo('/app'), aLayer({ '/one': directory }), aLayer({ '/two': 'd:700:0:0' })],
    ['a file that is replaced', copyTo('/etc/app'), aLayer({ '/etc/app': 'f' }), aLayer({})],
    ['a directory in both', make('/app'), aLayer({ '/app': directory }), aLayer({ '/app': directory })],
    ['a directory in none', make('/app/a/b'), aLayer({}), aLayer({})],
    ['a directory that was taken away', make('/app'), aLayer({ '/app': 'x' }), aLayer({})],
    ['the same links below', copyTo('/etc'), aLayer({ '/etc/a': 'l:b' }), aLayer({ '/etc/a': 'l:b' })],
  ])('with %s', (_, one, before, after) => {
    expect(compare(one, [root, before], [root, after])).toBeUndefined();
  });

  it.each<[string, Destination, LayerIndex, LayerIndex, string]>([
    [
      'a link in place of a directory',
      copyTo('/bin/a'),
      aLayer({}),
      aLayer({ '/bin': 'l:usr/bin' }),
      '/bin is a link in a base',
    ],
    ['a link in both', copyTo('/lib/a'), aLayer({}), aLayer({}), '/lib is a link in a base'],
    [
      'a link where the file goes',
      copyTo('/etc/a'),
      aLayer({}),
      aLayer({ '/etc/a': 'l:/b' }),
      '/etc/a is a link in a base',
    ],
    [
      'a directory that is new',
      make('/app'),
      aLayer({}),
      aLayer({ '/app': directory }),
      '/app is not the same in the new base',
    ],
    [
      'other rights',
      copyTo('/etc/a'),
      aLayer({}),
      aLayer({ '/etc': 'd:700:0:0' }),
      '/etc is not the same in the new base',
    ],
    [
      'another owner below',
      copyTo('/etc'),
      aLayer({ '/etc/a': directory }),
      aLayer({ '/etc/a': 'd:755:1:1' }),
      '/etc/a is not the same in the new base',
    ],
    [
      'a link that is new below',
      copyTo('/etc'),
      aLayer({}),
      aLayer({ '/etc/a': 'l:b' }),
      '/etc/a is not the same in the new base',
    ],
    [
      'a directory that is gone',
      copyTo('/etc/a'),
      aLayer({}),
      aLayer({ '/etc': 'x' }),
      '/etc is not the same in the new base',
    ],
    [
      'a directory below one that is gone',
      make('/app/a'),
      aLayer({ '/app': directory, '/app/a': directory }),
      aLayer({}),
      '/app is not the same in the new base',
    ],
    ['all of the root', copyTo(''), aLayer({}), aLayer({ '/new': directory }), '/new is not the same in the new base'],
  ])('but not with %s', (_, one, ...rest) => {
    const [before, after, why] = rest;
    expect(compare(one, [root, before], [root, after])).toBe(why);
  });

  it('as the topmost layer has it: what lies below a hidden directory does not show', () => {
    const below = aLayer({ '/app': directory, '/app/a': 'd:700:0:0' });
    const hidden = aLayer({ '/app': directory }, ['/app']);
    expect(compare(copyTo('/app'), [below, hidden], [aLayer({ '/app': directory })])).toBeUndefined();
    expect(compare(copyTo('/app'), [below], [aLayer({ '/app': directory })])).toBe(
      '/app/a is not the same in the new base',
    );
    const replaced = [below, aLayer({ '/app': 'f' })];
    expect(compare(make('/app/a'), replaced, [aLayer({ '/app': 'f' })])).toBeUndefined();
  });
});

describe('a directory without an entry of its own', () => {
  const implied = aLayer({ '/app': 'i', '/app/a': 'f' });

  it('has the attributes that it has in the layers below', () => {
    const below = aLayer({ '/app': directory });
    expect(compare(make('/app'), [below, implied], [below])).toBeUndefined();
    expect(compare(make('/app'), [below, implied], [aLayer({ '/app': 'd:700:0:0' }), implied])).toBe(
      '/app is not the same in the new base',
    );
  });

  it.each([make('/app'), copyTo('/app'), copyTo('')])('is one all the same for %o', (one) => {
    expect(compare(one, [implied], [implied])).toBeUndefined();
    expect(compare(one, [], [implied])).toBe('/app is not the same in the new base');
    expect(compare(one, [aLayer({ '/app': 'f' })], [implied])).toBe('/app is not the same in the new base');
    expect(compare(one, [aLayer({ '/app': directory }), aLayer({ '/app': 'x' })], [implied])).toBeDefined();
  });
});

describe("the image's own layers are looked at", () => {
  const none = aLayer({});
  it.each<[string, readonly Destination[], LayerIndex, LayerIndex, boolean]>([
    ['not where neither base has anything', [copyTo('/app'), copyTo('/etc/app')], none, none, false],
    [
      'not for a file that is in both',
      [copyTo('/etc/app')],
      aLayer({ '/etc/app': 'f' }),
      aLayer({ '/etc/app': 'f' }),
      false,
    ],
    [
      'not for an empty directory',
      [make('/app'), copyTo('/app')],
      aLayer({ '/app': directory }),
      aLayer({ '/app': directory }),
      false,
    ],
    ['not for directories that are only made', [make('/etc'), make('/etc/a')], none, none, false],
    ['for a file that only one base has', [copyTo('/all')], none, aLayer({ '/all': 'f' }), true],
    ['where a base has files below', [copyTo('/etc')], none, none, true],
    ['where two copies go to one place', [copyTo('/app'), copyTo('/app')], none, none, true],
    ['where one copy goes into another', [copyTo('/app'), copyTo('/app/a/b')], none, none, true],
    ['where a directory is made in a copy', [copyTo('/app'), make('/app/a')], none, none, true],
  ])('%s', (_, destinations, ...rest) => {
    const [before, after, isNeeded] = rest;
    expect(needsOwn(destinations, [root, before], [root, after])).toBe(isNeeded);
  });
});

describe("the image's own layers", () => {
  const at = [copyTo('/all'), copyTo('/all/deep/er')];
  const ownOf = (before: LayerIndex, after: LayerIndex, own: LayerIndex): string | undefined =>
    compareOwn(at, { before: [root, before], after: [root, after], own: [own] });

  it.each<[string, LayerIndex, LayerIndex, LayerIndex]>([
    [
      'files for files',
      aLayer({ '/all': directory, '/all/a': 'f' }),
      aLayer({ '/all': directory }),
      aLayer({ '/all/a': 'f' }),
    ],
    ['a file that only one base has', aLayer({}), aLayer({ '/all': 'f' }), aLayer({ '/all': 'f' })],
    [
      'directories that both have',
      aLayer({ '/all': directory }),
      aLayer({ '/all': directory }),
      aLayer({ '/all': directory }),
    ],
    ['links among what is copied', aLayer({}), aLayer({}), aLayer({ '/all': directory, '/all/a': 'l:b' })],
  ])('can be put on the new base: %s', (_, before, after, own) => {
    expect(ownOf(before, after, own)).toBeUndefined();
  });

  const notSame = 'and what is there is not the same in the new base';
  it.each<[string, LayerIndex, LayerIndex, LayerIndex, string]>([
    [
      'a directory where the new base has a file',
      aLayer({}),
      aLayer({ '/all': 'f' }),
      aLayer({ '/all': directory }),
      `the image has a directory /all, ${notSame}`,
    ],
    [
      'one without an entry',
      aLayer({}),
      aLayer({ '/all': 'f' }),
      aLayer({ '/all': 'i', '/all/a': 'f' }),
      `the image has a directory /all, ${notSame}`,
    ],
    [
      'one further down',
      aLayer({}),
      aLayer({ '/all/a': 'f' }),
      aLayer({ '/all/a': directory }),
      `the image has a directory /all/a, ${notSame}`,
    ],
    [
      'a directory where the old base had a file',
      aLayer({ '/all/a': 'f' }),
      aLayer({}),
      aLayer({ '/all/a': directory }),
      `the image has a directory /all/a, ${notSame}`,
    ],
    [
      'a link where the new base has a file',
      aLayer({}),
      aLayer({ '/all/a': 'f' }),
      aLayer({ '/all/a': 'l:b' }),
      `the image has a link /all/a, ${notSame}`,
    ],
    [
      'a file where the new base has a directory',
      aLayer({}),
      aLayer({ '/all/a': directory }),
      aLayer({ '/all/a': 'f' }),
      `the image has a file /all/a, ${notSame}`,
    ],
    [
      'a link that is written through',
      aLayer({}),
      aLayer({}),
      aLayer({ '/all/deep': 'l:/etc' }),
      'the Dockerfile may write through /all/deep, a link of the image itself',
    ],
    [
      'what came elsewhere by a link',
      aLayer({}),
      aLayer({}),
      aLayer({ '/etc/a': 'f' }),
      'the image has /etc/a, where the Dockerfile does not write',
    ],
  ])('cannot: %s', (_, before, after, ...rest) => {
    const [own, why] = rest;
    expect(ownOf(before, after, own)).toBe(why);
  });
});
