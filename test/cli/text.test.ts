import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanLine } from '../../src/cli/clean-line.ts';
import { parseServer, readClientConfig } from '../../src/cli/client-config.ts';
import { listSettings } from '../../src/cli/config-table.ts';
import { formatLogLine, tailFiles } from '../../src/cli/tail.ts';
import { formatAge, formatBytes, formatTable } from '../../src/cli/words.ts';
import { readConfig } from '../../src/config.ts';
import { makeFolder } from './rig-api.ts';

describe('words', () => {
  it('say ages, sizes and columns', () => {
    const now = 10 * 86_400_000;
    expect([0, 1000, 59_000, 60_000, 7_200_000, 86_400_000].map((ago) => formatAge(now - ago, now))).toEqual([
      'just now',
      '1 second ago',
      '59 seconds ago',
      '1 minute ago',
      '2 hours ago',
      '1 day ago',
    ]);
    expect(formatAge(now + 5000, now)).toBe('just now');
    expect([0, 1023, 1024, 1_572_864, 5e12].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.5 MiB',
      '4.5 TiB',
    ]);
    expect(
      formatTable([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
      ]),
    ).toEqual(['a    bb  c', 'aaa  b']);
  });
});

describe('cleanLine', () => {
  it('leaves colours where they are wanted, and nothing that a terminal would obey', () => {
    expect(cleanLine('\u001b[1;31mx\u001b[m', true)).toBe('\u001b[1;31mx\u001b[m\u001b[0m');
    expect(cleanLine('\u001b[1;31mx\u001b[m', false)).toBe('x');
    expect(cleanLine('a\tb', false)).toBe('a\tb');
    expect(cleanLine('\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', true)).toBe('link');
    expect(cleanLine('x\u001b[', true)).toBe('x');
  });

  it('never lets a control character through but tabs, line feeds and colours', () => {
    const nasty = fc.array(
      fc.constantFrom('\u001b', '[', ']', 'm', '2', ';', 'J', '\u009b', '\u0007', '\r', '\u0090', 'x', '\\', 'P'),
    );
    fc.assert(
      fc.property(nasty, (parts) => {
        const text = parts.join('');
        expect(cleanLine(text, false)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        const rest = cleanLine(text, true).replace(/\u001b\[[0-9;:]*m/g, '');
        expect(rest).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe('addresses of servers', () => {
  it.each([
    ['localhost:5080', 'http://localhost:5080'],
    ['127.0.0.1:5080/', 'http://127.0.0.1:5080'],
    ['slipway.example.com', 'https://slipway.example.com'],
    ['http://h/prefix/', 'http://h/prefix'],
    ['[::1]:5080', 'http://[::1]:5080'],
  ])('%s is %s', (text, server) => {
    expect(parseServer(text)).toBe(server);
  });

  it('come from SLIPWAY_SERVER', () => {
    expect(readClientConfig({ SLIPWAY_SERVER: 'h:1' })).toEqual({
      server: 'https://h:1',
      username: undefined,
      password: undefined,
    });
    expect(() => readClientConfig({ SLIPWAY_SERVER: 'a b' })).toThrow('SLIPWAY_SERVER must be the address of a server');
  });
});

describe('the table of settings', () => {
  it('knows every variable that the configuration reads', () => {
    const asked = new Set<string>();
    const env = new Proxy<Record<string, string>>({}, { get: (_, name) => void asked.add(String(name)) });
    const names = listSettings(readConfig(env), {}).map(({ name }) => name);
    asked.delete('PATH');
    expect(names).toEqual(expect.arrayContaining([...asked]));
  });

  it('has every setting of base images in the documentation', async () => {
    const text = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const names = listSettings(readConfig({}), {}).map(({ name }) => name);
    const documented = names.filter((name) => /_(CAMPAIGN|POLL|REGISTRY|BASE)_/.test(name));
    expect(documented.length).toBeGreaterThanOrEqual(9);
    for (const name of documented) expect(text).toContain(`| \`${name}\` |`);
  });

  it('shows pauses as they can be set, and no secret', () => {
    const env = {
      SLIPWAY_POLL_INTERVAL: '2h',
      SLIPWAY_POLL_INTERVALS: 'docker.io=30m,ghcr.io=0',
      SLIPWAY_REGISTRY_HOOK_SECRET: 'hush',
    };
    const settings = new Map(listSettings(readConfig(env), env).map(({ name, value }) => [name, value]));
    expect(settings.get('SLIPWAY_POLL_INTERVAL')).toBe('7200');
    expect(settings.get('SLIPWAY_POLL_INTERVALS')).toBe('docker.io=1800 ghcr.io=0');
    expect([...settings.values()].join(' ')).not.toContain('hush');
  });
});

describe('tailFiles', () => {
  it('gives whole new lines of each file, also when one is begun anew', async () => {
    const file = join(await makeFolder(), 'log');
    await writeFile(file, 'old\n');
    const tail = tailFiles([file, `${file}.missing`]);
    expect(tail.next()).toEqual([]);
    await appendFile(file, 'one\ntw');
    expect(tail.next().map(({ line }) => line)).toEqual(['one']);
    await appendFile(file, 'o\n');
    expect(tail.next().map(({ line }) => line)).toEqual(['two']);
    await writeFile(file, 'new\n');
    expect(tail.next().map(({ line }) => line)).toEqual(['new']);
  });

  it('makes lines of our own log readable and leaves others alone', () => {
    expect(formatLogLine('{"level":50,"time":0,"msg":"m","a":{"b":1},"err":{"message":"why"}}')).toBe(
      '00:00:00 error m a={"b":1} (why)',
    );
    for (const line of ['{', '"x"', 'null', 'text', '{"level":"x"}', '{"level":30}'])
      expect(formatLogLine(line)).toBe(line);
  });
});
