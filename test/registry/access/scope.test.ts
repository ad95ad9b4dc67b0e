import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scopeMapActions } from '../../../src/domain/registry-access.ts';
import { isRepositoryName } from '../../../src/domain/image-reference.ts';
import { registryActions, scopeFor, scopeWords, type RegistryAction } from '../../../src/registry/access/actions.ts';
import { isRepositoryPattern, matchesPattern } from '../../../src/registry/access/pattern.ts';
import { covers, intersect, parseScope, parseScopes } from '../../../src/registry/access/scope.ts';
import { allowScopeMap, checkRules, parseRule } from '../../../src/registry/access/scope-map.ts';

const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const repository = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const words = fc.uniqueArray(fc.constantFrom(...scopeWords, '*', 'fly'), { minLength: 1 });

describe('a scope', () => {
  it.each([
    ['repository:app:pull', { type: 'repository', name: 'app', actions: ['pull'] }],
    ['repository:team/app:pull,push', { type: 'repository', name: 'team/app', actions: ['pull', 'push'] }],
    ['repository(plugin):app:pull', { type: 'repository', name: 'app', actions: ['pull'] }],
    ['repository:localhost:5000/app:pull', { type: 'repository', name: 'localhost:5000/app', actions: ['pull'] }],
    ['registry:catalog:*', { type: 'registry', name: 'catalog', actions: ['*'] }],
    ['artifact-repository:charts/x:pull', { type: 'artifact-repository', name: 'charts/x', actions: ['pull'] }],
    ['repository:*:*', { type: 'repository', name: '*', actions: ['*'] }],
  ])('%s is read', (text, scope) => {
    expect(parseScope(text)).toEqual(scope);
  });

  it.each([
    '',
    ':',
    '::',
    'repository',
    'repository:app',
    'repository::pull',
    ':app:pull',
    'repository:app:',
    'a:b:,,',
  ])('“%s” is none', (text) => {
    expect(parseScope(text)).toBeUndefined();
  });

  it('survives being written and read, whatever its name, with any number of them in any number of parameters', () => {
    const scope = fc.record({ name: repository, actions: words });
    fc.assert(
      fc.property(fc.array(scope, { maxLength: 20 }), fc.integer({ min: 1, max: 5 }), (scopes, each) => {
        const texts = scopes.map(({ name, actions }) => `repository:${name}:${actions.join(',')}`);
        const parameters: string[] = [];
        for (let at = 0; at < texts.length; at += each) parameters.push(texts.slice(at, at + each).join(' '));
        expect(parseScopes(parameters)).toEqual(scopes.map((one) => ({ type: 'repository', ...one })));
      }),
    );
  });

  it('is never a crash, and what it grants is never more than what is allowed and what was asked', () => {
    fc.assert(
      fc.property(fc.string(), repository, words, fc.subarray([...registryActions]), (noise, name, asked, allowed) => {
        const principal = { may: (_: string, action: RegistryAction) => allowed.includes(action) };
        const scopes = parseScopes([noise, `repository:${name}:${asked.join(',')}`]) ?? [];
        const grants = intersect(principal, scopes);
        for (const action of registryActions) {
          if (covers(grants, name, action) && action !== 'overwrite') expect(allowed).toContain(action);
          if (noise.includes(':')) continue;
          expect(covers(grants, `${name}/other`, action)).toBe(false);
        }
      }),
    );
  });

  it('of far too many is refused', () => {
    expect(parseScopes([Array.from({ length: 300 }, () => 'repository:a:pull').join(' ')])).toBeUndefined();
  });

  it('that a challenge names is enough for what was refused', () => {
    for (const action of registryActions) {
      const at = action === 'catalog' || action === 'manage' ? '*' : 'team/app';
      const scopes = parseScopes([scopeFor(at, action)]) ?? [];
      expect(covers(intersect({ may: () => true }, scopes), at, action)).toBe(true);
    }
  });
});

describe('a pattern of repositories', () => {
  it('covers what it says', () => {
    fc.assert(
      fc.property(repository, repository, (a, b) => {
        expect(matchesPattern(a, b)).toBe(a === b);
        expect(matchesPattern('*', b)).toBe(true);
        expect(matchesPattern(`${a}/*`, `${a}/${b}`)).toBe(true);
        expect(matchesPattern(`${a}/*`, a)).toBe(false);
        expect(matchesPattern(`${a}/*`, `${a}x/${b}`)).toBe(false);
      }),
    );
  });

  it.each(['**', 'a*', '*/a', 'a/*/b', 'a/**', '/*', '', 'A/*', '../*', 'a//*'])('“%s” is none', (text) => {
    expect(isRepositoryPattern(text)).toBe(false);
    expect(parseRule(`repositories/${text}/content/read`)).toBeUndefined();
  });

  it('is a repository, one with /* at its end, or *', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bare = text.endsWith('/*') ? text.slice(0, -2) : text;
        expect(isRepositoryPattern(text)).toBe(text === '*' || isRepositoryName(bare));
      }),
    );
  });
});

describe('a scope map', () => {
  const map = (...actions: string[]) => ({ name: 'm', type: 'UserDefined', creationDate: '', actions }) as const;

  it('adds up its actions, and allows nothing else', () => {
    const may = allowScopeMap(map('repositories/team/*/content/read', 'repositories/team/app/content/write'));
    expect(may('team/app', 'pull')).toBe(true);
    expect(may('team/app', 'push')).toBe(true);
    expect(may('team/app', 'overwrite')).toBe(true);
    expect(may('team/other', 'pull')).toBe(true);
    expect(may('team/other', 'push')).toBe(false);
    expect(may('team', 'pull')).toBe(false);
    expect(may('team/app', 'delete')).toBe(false);
    expect(may('*', 'catalog')).toBe(false);
  });

  it('never allows what concerns the whole registry', () => {
    const may = allowScopeMap(map(...scopeMapActions.map((action) => `repositories/*/${action}`)));
    expect(registryActions.filter((action) => !may('any', action))).toEqual([
      'catalog',
      'sign',
      'quarantine-read',
      'quarantine-write',
      'manage',
    ]);
  });

  it('finds the action behind repositories with slashes, and those that look like actions', () => {
    expect(parseRule('repositories/content/read/content/write')).toEqual({
      pattern: 'content/read',
      action: 'content/write',
    });
    expect(parseRule('repositories/a/content/fly')).toBeUndefined();
    expect(parseRule('repositories//content/read')).toBeUndefined();
    expect(parseRule('a/content/read')).toBeUndefined();
  });

  it('names the action that is wrong', () => {
    expect(() => {
      checkRules('mine', ['repositories/a/content/read', 'repositories/A/content/read']);
    }).toThrow(/no action of a scope map/);
    expect(() => {
      checkRules('anonymous', ['repositories/a/content/write']);
    }).toThrow(/nothing else/);
  });
});
