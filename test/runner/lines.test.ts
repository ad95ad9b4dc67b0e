import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanLine, createLineSplitter, maxLineBytes } from '../../src/runner/docker/lines.ts';

function split(...chunks: (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(Buffer.from(chunk as string));
  splitter.flush();
  return lines;
}

describe('a line splitter', () => {
  it('hands a line on the moment its end has arrived', () => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    splitter.write(Buffer.from('one\ntw'));
    expect(lines).toEqual(['one']);
    splitter.write(Buffer.from('o\n'));
    expect(lines).toEqual(['one', 'two']);
  });

  it('joins what was cut, within a character too, and emits the last line without an end', () => {
    const bytes = Buffer.from('grün\nzuletzt');
    expect(split(bytes.subarray(0, 3), bytes.subarray(3))).toEqual(['grün', 'zuletzt']);
  });

  it('takes \\r\\n as a line end wherever it is cut', () => {
    expect(split('a\r\nb\r', '\nc')).toEqual(['a', 'b', 'c']);
  });

  it('keeps empty lines', () => {
    expect(split('a\n\nb\n')).toEqual(['a', '', 'b']);
  });

  it('shows the last state of a progress bar', () => {
    expect(split('10%\r50%', '\r100%\rdone\n', 'x\r')).toEqual(['done', 'x']);
  });

  it('does not keep a progress bar in memory that never ends its line', () => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    for (let percent = 0; percent < 20_000; percent += 1) splitter.write(Buffer.from(`${percent}\r`));
    expect(lines).toEqual([]);
    splitter.flush();
    expect(lines).toEqual(['19999']);
  });

  it('splits lines over 16 KiB at the border of a character, while they still grow', () => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    const text = 'é'.repeat(maxLineBytes);
    splitter.write(Buffer.from(text));
    expect(lines.length).toBe(1);
    splitter.flush();
    expect(lines.join('')).toBe(text);
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(maxLineBytes);
  });

  it('gives the same lines however the bytes are cut', () => {
    const text = fc
      .array(fc.constantFrom('a', 'ü', '🐳', '\r', '\n', '\r\n', '\x1b[31m', ' '))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (whole, cuts) => {
        const bytes = Buffer.from(whole);
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(split(...chunks)).toEqual(split(bytes));
      }),
    );
  });
});

describe('cleaning a line', () => {
  it('keeps colours and takes every other control away', () => {
    expect(cleanLine('\x1b[1;31mred\x1b[0m\x1b[2K\x1b[10;3H\tx\x07\x1b]0;title\x07y\x1b(B')).toBe(
      '\x1b[1;31mred\x1b[0m\txy',
    );
  });

  it('leaves no control character but tab and the escape of a colour, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        const rest = cleanLine(text.replaceAll('\n', '').replaceAll('\r', '')).replace(/\x1b\[[0-9;:]*m/g, '');
        expect(rest).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f]/);
      }),
    );
  });
});
