import { describe, expect, it } from 'vitest';
import type { CustomCredential } from '../../../src/domain/run-request.ts';
import type { Task, TaskName, TaskSecrets } from '../../../src/domain/task.ts';
import { createTaskCredentials, type TaskCredentialsOptions } from '../../../src/patch/poll/task-credentials.ts';

const masked = '********';

function aTask(name: string, customRegistries: Record<string, CustomCredential>): Task {
  const task = {
    name,
    sealedSecrets: name,
    credentials: { sourceRegistry: { loginMode: 'Default' }, customRegistries },
  };
  return task as unknown as Task;
}

const vault: Pick<TaskCredentialsOptions, 'resolve'> = { resolve: async ({ keyvault = '' }) => `value of ${keyvault}` };

function open(tasks: readonly Task[], passwords: Record<string, Record<string, string>>, vaults = vault) {
  const unusable: string[] = [];
  const find = createTaskCredentials({
    tasks: { getMany: async (names) => names.map((name) => tasks.find((task) => task.name === name)) },
    openSecrets: (sealed = '') => {
      const registries = passwords[sealed];
      if (registries === undefined) throw new Error('sealed by another key');
      return { registries } as unknown as TaskSecrets;
    },
    ...vaults,
    onUnusable: (task) => unusable.push(task),
  });
  const names = tasks.map(({ name }) => name);
  return { find: (registry: string) => find(registry, [...names, 'gone' as TaskName]), unusable };
}

describe('the credentials that a registry is asked with', () => {
  it('are those that tasks bring for it, each once, under any name that Docker Hub has', async () => {
    const passwords = {
      a: { 'index.docker.io': 'p1' },
      b: { 'https://index.docker.io/v1/': 'p2' },
      c: { 'docker.io': 'p1' },
    };
    const tasks = [
      aTask('a', {
        'index.docker.io': { userName: 'u', password: masked },
        'ghcr.io': { userName: 'x', password: masked },
      }),
      aTask('b', { 'https://index.docker.io/v1/': { userName: 'u', password: masked } }),
      aTask('c', { 'docker.io': { userName: 'u', password: masked } }),
    ];
    const { find } = open(tasks, passwords);
    expect(await find('docker.io')).toEqual([
      { userName: 'u', password: 'p1' },
      { userName: 'u', password: 'p2' },
    ]);
    expect(await find('quay.io')).toEqual([]);
  });

  it('come out of vaults where they lie there', async () => {
    const url = 'https://v.vault.azure.net/secrets/p';
    const { find } = open([aTask('a', { 'ghcr.io': { userName: 'u', password: url, vaulted: ['password'] } })], {
      a: {},
    });
    expect(await find('ghcr.io')).toEqual([{ userName: 'u', password: `value of ${url}` }]);
  });

  it('are passed over where they lie in a vault and no vault is to be asked', async () => {
    const url = 'https://v.vault.azure.net/secrets/p';
    const vaulted = aTask('a', { 'ghcr.io': { userName: 'u', password: url, vaulted: ['password'] } });
    const plain = aTask('b', { 'ghcr.io': { userName: 'u', password: masked } });
    const { find, unusable } = open([vaulted, plain], { a: {}, b: { 'ghcr.io': 'p' } }, {});
    expect(await find('ghcr.io')).toEqual([{ userName: 'u', password: 'p' }]);
    expect(unusable).toEqual([]);
  });

  it('are passed over where they cannot be opened', async () => {
    const tasks = ['a', 'b'].map((name) => aTask(name, { 'ghcr.io': { userName: 'u', password: masked } }));
    const { find, unusable } = open(tasks, { b: { 'ghcr.io': 'p' } });
    expect(await find('ghcr.io')).toEqual([{ userName: 'u', password: 'p' }]);
    expect(unusable).toEqual(['a']);
  });
});
