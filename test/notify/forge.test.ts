import { describe, expect, it } from 'vitest';
import { openForge, type ForgeRepository } from '../../src/notify/forge/api.ts';

const credential = { token: 't0ken' };
const urlOf = (repository: ForgeRepository) => openForge(repository, credential).request('GET', ['x']).url;

describe('the API of a repository', () => {
  it.each([
    [{ provider: 'github', url: 'https://github.com/acme/shop.git#main' }, 'https://api.github.com/x'],
    [{ provider: 'github', url: 'git@github.com:acme/shop.git' }, 'https://api.github.com/x'],
    [{ provider: 'github', url: 'https://git.corp:8443/acme/shop' }, 'https://git.corp:8443/api/v3/x'],
    [{ provider: 'github', url: 'https://acme.ghe.com/acme/shop' }, 'https://api.acme.ghe.com/x'],
    [{ provider: 'gitlab', url: 'https://gitlab.com/acme/web/shop.git' }, 'https://gitlab.com/api/v4/x'],
    [{ provider: 'gitea', url: 'https://corp.example/git/acme/shop.git' }, 'https://corp.example/git/api/v1/x'],
    [{ provider: 'gitea', url: 'ssh://git@git.corp:2222/acme/shop.git' }, 'https://git.corp/api/v1/x'],
    [{ provider: 'bitbucket', url: 'https://bitbucket.org/acme/shop' }, 'https://api.bitbucket.org/2.0/x'],
    [{ provider: 'bitbucket', url: 'https://bb.corp/scm/WEB/shop.git' }, 'https://bb.corp/rest/api/latest/x'],
    [
      { provider: 'azure-devops', url: 'https://dev.azure.com/acme/Web%20Team/_git/shop' },
      'https://dev.azure.com/acme/x',
    ],
    [{ provider: 'azure-devops', url: 'https://tfs.corp/tfs/Main/Web/_git/shop' }, 'https://tfs.corp/tfs/Main/x'],
    [{ provider: 'gitlab', url: 'https://h/g/r', apiUrl: 'https://h/gitlab/api/v4/' }, 'https://h/gitlab/api/v4/x'],
  ] as [ForgeRepository, string][])('%j is %s', (repository, url) => {
    expect(urlOf(repository)).toBe(url);
  });

  it('is not guessed for a plain git server, and gets no token over http unless an operator names it', () => {
    expect(() => urlOf({ provider: 'generic', url: 'https://h.example/r.git' })).toThrow(/no API/);
    expect(() => urlOf({ provider: 'gitea', url: 'http://git.corp:3000/acme/shop' })).toThrow(/never sent over http/);
    const named = {
      provider: 'gitea',
      url: 'http://git.corp:3000/a/b',
      apiUrl: 'http://git.corp:3000/api/v1',
    } as const;
    expect(urlOf(named)).toBe('http://git.corp:3000/api/v1/x');
  });

  it('is not worked out of what is no clone URL', () => {
    expect(() => urlOf({ provider: 'github', url: 'shop' })).toThrow(/cannot be read/);
    expect(() => urlOf({ provider: 'azure-devops', url: 'https://tfs.corp/shop' })).toThrow(/no clone URL of Azure/);
  });

  it.each([
    ['github', 'https://github.com/a/b', {}, 'Bearer t0ken'],
    ['gitlab', 'https://gitlab.com/a/b', {}, 'Bearer t0ken'],
    ['gitea', 'https://g.corp/a/b', {}, 'token t0ken'],
    ['bitbucket', 'https://bitbucket.org/a/b', {}, 'Bearer t0ken'],
    ['bitbucket', 'https://bitbucket.org/a/b', { user: 'ada' }, `Basic ${btoa('ada:t0ken')}`],
    ['azure-devops', 'https://dev.azure.com/o/p/_git/r', {}, `Basic ${btoa(':t0ken')}`],
  ] as const)('takes the token as %s wants it', (provider, url, more, authorization) => {
    const { headers } = openForge({ provider, url }, { ...credential, ...more }).request('GET', []);
    expect(headers['authorization']).toBe(authorization);
  });
});
