import { describe, expect, it } from 'vitest';
import { writeGitConfig, type GitOptions } from '../../src/source/git-config.ts';
import { parseSourceLocation } from '../../src/source/location.ts';

function configFor(text: string, options: GitOptions = {}, address = '203.0.113.7'): string {
  const location = parseSourceLocation(text);
  if (location.kind !== 'git') throw new Error('no git location');
  const family = address.includes(':') ? 6 : 4;
  return writeGitConfig({ location, addresses: [{ address, family }], home: '/clone/home', options });
}

describe('writeGitConfig', () => {
  it('allows https and ssh, http only for an http location, and nothing else', () => {
    const config = configFor('https://h.test/a.git');
    expect(config).toContain('[protocol]\n\tallow = "never"');
    expect(config).toContain('[protocol "https"]\n\tallow = "always"');
    expect(config).not.toContain('[protocol "http"]');
    expect(configFor('http://h.test/a.git')).toContain('[protocol "http"]\n\tallow = "always"');
  });

  it('pins the host to the checked addresses at its port', () => {
    expect(configFor('https://h.test/a.git')).toContain('curloptResolve = "h.test:443:203.0.113.7"');
    expect(configFor('https://h.test:8443/a.git', {}, '2606::1')).toContain('curloptResolve = "h.test:8443:[2606::1]"');
    expect(configFor('https://203.0.113.7/a.git')).not.toContain('curloptResolve');
  });

  it('sends the token to the one origin, encoded', () => {
    const config = configFor('https://me:p%22%0A@h.test:8443/a.git');
    const login = Buffer.from('me:p"\n').toString('base64');
    expect(config).toContain(`[http "https://h.test:8443/"]\n\textraHeader = "Authorization: Basic ${login}"`);
    expect(configFor('https://h.test/a.git')).not.toContain('extraHeader');
  });

  it('accepts an unknown host key for one clone, unless the operator keeps known hosts', () => {
    expect(configFor('git@h.test:a.git')).toContain('StrictHostKeyChecking=accept-new');
    expect(configFor('git@h.test:a.git')).toContain('UserKnownHostsFile=/clone/home/known_hosts');
    expect(configFor('git@h.test:a.git', { knownHostsFile: '/k' })).toContain('StrictHostKeyChecking=yes');
  });

  it('names the port in the alias of a host key that is not at port 22', () => {
    expect(configFor('ssh://git@h.test:2222/a.git')).toContain("'HostKeyAlias=[h.test]:2222'");
  });

  it('quotes what the operator set, for the shell and for git', () => {
    const config = configFor('git@h.test:a.git', { sshKeyFile: `/k/it's "mine"\n[core]` });
    expect(config).toContain(String.raw`'/k/it'\\''s \"mine\"[core]'`);
    expect(config.split('\n').filter((line) => line.startsWith('[core]'))).not.toContain('[core]\'"');
  });
});
