import { describe, expect, it } from 'vitest';
import { ensureProgram } from '../../src/host/packages.ts';
import { createFakeTools } from './fakes.ts';

const wanted = {
  program: 'redis-server',
  packages: ['redis-server'],
  otherwise: 'set REDIS_URL',
  reason: 'redis-unavailable',
} as const;

describe('ensureProgram', () => {
  it('takes what is there and installs nothing', async () => {
    const tools = createFakeTools({ isRoot: true, installed: ['redis-server', 'apt-get'] });
    expect(await ensureProgram(tools, wanted, true)).toBe('/usr/bin/redis-server');
    expect(tools.calls).toEqual([]);
  });

  it('installs the package as root, and says so', async () => {
    const answer = (line: string, programs: Set<string>) => {
      if (line.endsWith('install -y --no-install-recommends redis-server')) programs.add('redis-server');
      return {};
    };
    const tools = createFakeTools({ isRoot: true, installed: ['apt-get'], answer });
    expect(await ensureProgram(tools, wanted, true)).toBe('/usr/bin/redis-server');
    expect(tools.said.join()).toContain('Installing the Debian packages redis-server');
  });

  it.each([
    ['it is not root', { isRoot: false, installed: ['apt-get'] }, true],
    ['it must not install', { isRoot: true, installed: ['apt-get'] }, false],
    ['the host has no apt-get', { isRoot: true, installed: [] }, true],
  ])('says exactly what to type when %s', async (_, host, install) => {
    const tools = createFakeTools(host);
    const hint = expect.stringContaining('sudo apt-get install -y --no-install-recommends redis-server') as string;
    await expect(ensureProgram(tools, wanted, install)).rejects.toMatchObject({
      failure: { reason: 'redis-unavailable', message: 'redis-server is not installed', hint },
    });
    expect(tools.calls).toEqual([]);
  });

  it('tells why an installation failed', async () => {
    const answer = (line: string) =>
      line.includes(' install ') ? { code: 100, stderr: 'E: Unable to locate package' } : {};
    const tools = createFakeTools({ isRoot: true, installed: ['apt-get'], answer });
    await expect(ensureProgram(tools, wanted, true)).rejects.toThrow('Unable to locate package');
  });
});
