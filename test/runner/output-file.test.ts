import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOutputFile } from '../../src/runner/docker/output-file.ts';

const read = (text: string): unknown => {
  const file = parseOutputFile(text);
  return file.ok ? Object.fromEntries(file.outputs) : file.message;
};

describe('a file of outputs', () => {
  it.each([
    ['', {}],
    ['\n \n', {}],
    ['tag=1.2', { tag: '1.2' }],
    ['tag=1.2\n', { tag: '1.2' }],
    ['a=1\r\nb=2\r\n', { a: '1', b: '2' }],
    ['a= x = y ', { a: ' x = y ' }],
    ['a=', { a: '' }],
    ['a=x<<y', { a: 'x<<y' }],
    ['a=1\na=2', { a: '2' }],
    ['notes<<END\none\n\ntwo=2\nEND\na=1', { notes: 'one\n\ntwo=2', a: '1' }],
    ['notes<<END\nEND', { notes: '' }],
    ['notes<<E=F\nx\nE=F', { notes: 'x' }],
    ['my-name_2=ü😀', { 'my-name_2': 'ü😀' }],
  ])('%j', (text, outputs) => expect(read(text)).toEqual(outputs));

  it.each([
    ['tag', 'line 1 has neither name=value nor name<<END'],
    ['a=1\n\nsome secret', 'line 3 has neither name=value nor name<<END'],
    ['=x', 'line 1 does not begin with the name of an output'],
    ['2a=x', 'line 1 does not begin with the name of an output'],
    [' a=x', 'line 1 does not begin with the name of an output'],
    ['a=1\nb<<END\nx', 'line 2 begins a value whose end mark does not come'],
    ['a=x\0y', 'the value of line 1 has a zero byte'],
    [Array.from({ length: 101 }, (_, index) => `a${index}=x`).join('\n'), 'there are more than 100 outputs'],
  ])('refuses %j without repeating it', (text, message) => expect(read(text)).toBe(message));

  it('gives back what was written, whatever the values are', () => {
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !/[\0\r\n]/.test(text));
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), value), (outputs) => {
        const lines = Object.entries(outputs).map(([name, text]) => `${name}=${text}\n`);
        expect(read(lines.join(''))).toEqual({ ...outputs });
        const blocks = Object.entries(outputs).map(([name, text]) => `${name}<<--end--\n${text}\n--end--\n`);
        expect(read(blocks.join(''))).toEqual({ ...outputs });
      }),
    );
  });
});
