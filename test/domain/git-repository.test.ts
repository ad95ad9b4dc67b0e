import { describe, expect, it } from 'vitest';
import { isSameRepository, normaliseRepository } from '../../src/domain/git-repository.ts';

describe('a repository address', () => {
  it.each([
    'https://github.com/Acme/Shop',
    'https://github.com/acme/shop.git',
    'https://github.com/acme/shop/',
    'https://github.com/acme/shop.git/',
    'https://github.com//acme/shop.git',
    'https://github.com:443/acme/shop.git',
    'http://github.com/acme/shop.git',
    'https://www.github.com/acme/shop',
    'https://GitHub.com/acme/shop.GIT',
    'https://user:token@github.com/acme/shop.git',
    'https://github.com/acme/shop.git#main:services/cart',
    'github.com/acme/shop',
    'git@github.com:acme/shop.git',
    'git@github.com:/acme/shop.git',
    'ssh://git@github.com/acme/shop.git',
    'ssh://git@github.com:22/acme/shop.git',
    'ssh://git@ssh.github.com:443/acme/shop.git',
    'git://github.com/acme/shop.git',
  ])('%s is the same as the plain one', (url) => {
    expect(isSameRepository(url, 'https://github.com/acme/shop')).toBe(true);
  });

  it.each([
    'https://github.com/acme/shop2',
    'https://github.com/acme/shop/wiki',
    'https://github.com/acme',
    'https://github.com.evil.example/acme/shop',
    'https://evil.example/github.com/acme/shop',
    'https://github.com@evil.example/acme/shop',
    'https://gitlab.com/acme/shop',
    'file:///acme/shop',
    'acme/shop',
    '',
    'https://',
    `https://github.com/${'a'.repeat(3000)}`,
  ])('%s is not', (url) => {
    expect(isSameRepository(url, 'https://github.com/acme/shop')).toBe(false);
  });

  it('tells two web ports of one host apart, and takes the port of ssh for what it is', () => {
    expect(isSameRepository('http://git.example.com:3000/a/b', 'http://git.example.com:3001/a/b')).toBe(false);
    expect(isSameRepository('https://git.example.com:3000/a/b', 'ssh://git@git.example.com:2222/a/b.git')).toBe(true);
  });

  it('counts letter case for a plain git server alone', () => {
    expect(isSameRepository('https://h.example/A/b', 'https://h.example/a/b', 'generic')).toBe(false);
    expect(isSameRepository('https://H.example/a/b', 'https://h.example/a/b', 'generic')).toBe(true);
    expect(isSameRepository('https://h.example/A/b', 'https://h.example/a/b', 'gitlab')).toBe(true);
  });

  it.each([
    'https://dev.azure.com/acme/Web%20Team/_git/shop',
    'https://acme@dev.azure.com/acme/Web Team/_git/shop',
    'https://acme.visualstudio.com/Web%20Team/_git/shop',
    'https://acme.visualstudio.com/DefaultCollection/Web%20Team/_git/shop',
    'git@ssh.dev.azure.com:v3/acme/Web%20Team/shop',
    'acme@vs-ssh.visualstudio.com:v3/acme/Web%20Team/shop',
  ])('%s is one of Azure DevOps', (url) => {
    expect(normaliseRepository(url)).toEqual({ host: 'dev.azure.com', path: 'acme/Web Team/_git/shop' });
  });

  it('knows the repository of Azure DevOps that has the name of its project', () => {
    const short = 'https://acme.visualstudio.com/_git/shop';
    expect(isSameRepository(short, 'https://dev.azure.com/acme/shop/_git/shop')).toBe(true);
  });

  it.each([
    'https://bitbucket.example.com/scm/web/shop.git',
    'https://bitbucket.example.com/context/scm/WEB/shop.git',
    'ssh://git@bitbucket.example.com:7999/web/shop.git',
    'https://bitbucket.example.com/projects/WEB/repos/shop/browse',
  ])('%s is one of Bitbucket Server', (url) => {
    expect(isSameRepository(url, 'https://bitbucket.example.com/scm/WEB/shop.git', 'bitbucket')).toBe(true);
  });

  it('knows personal repositories of Bitbucket Server', () => {
    const page = 'https://bitbucket.example.com/users/ada/repos/shop';
    expect(isSameRepository(page, 'https://bitbucket.example.com/scm/~ada/shop.git', 'bitbucket')).toBe(true);
  });

  it('keeps a group of GitLab that is called scm', () => {
    expect(normaliseRepository('https://gitlab.com/scm/a/b', 'gitlab')?.path).toBe('scm/a/b');
  });
});
