import { describe, expect, it } from 'vitest';
import type { Destination } from '../../src/rebase/effects.ts';
import { compareLayouts, type LayerIndex, type Mark } from '../../src/rebase/layout.ts';

function aLayer(marks: Readonly<Record<string, Mark>>, opaque: readonly string[] = []): LayerIndex {
  const shaping = Object.keys(marks).filter((path) => marks[path] !== 'f');
  return { marks: new Map(Object.entries(marks)), opaque: new Set(opaque), shaping: shaping.sort() };
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
