import { describe, expect, it, onTestFinished } from 'vitest';
import { createRegistrySources } from '../../src/compose/registry-login.ts';
import { createFolderRegistry } from '../../src/compose/task-folders.ts';
import { folderArtifactType } from '../../src/domain/task-folder.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { imageType, sha, startRegistry } from './rig.ts';

const key = Buffer.alloc(32, 4);
const repository = 'contexts/greeting';

/** A registry in which folders are looked for as the housekeeping does. */
async function setUp() {
  const clock = { time: Date.UTC(2026, 10, 21), now: () => clock.time };
  const account = { username: 'admin', passwords: ['secret', 'second'] } as const;
  const keeper = { current: () => account, renew: () => Promise.resolve(account) };
  const sources = createRegistrySources({ key, clock, store: createMemoryStore({ clock }) }, keeper);
  const rig = await startRegistry({ clock, key, sources });
  onTestFinished(rig.stop);
  const config = { url: rig.url, patching: {} };
  const folders = createFolderRegistry({ config, clock, key } as unknown as Parameters<typeof createFolderRegistry>[0]);
  const push = async (tag: string, artifactType: string): Promise<void> => {
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha('{}'), size: 2 };
    await rig.pushBlob(repository, '{}');
    const body = JSON.stringify({ schemaVersion: 2, mediaType: imageType, artifactType, config, layers: [] });
    const headers = { 'content-type': imageType };
    const answer = await rig.send('PUT', `/v2/${repository}/manifests/${tag}`, { headers, body });
    expect(answer.status).toBe(201);
  };
  return { ...rig, folders, push, clock };
}

describe('the registry, for the folders of tasks', () => {
  it('knows when one was pushed last, and removes it', async () => {
    const { folders, push, clock, registry } = await setUp();
    expect(await folders.pushedAt(repository)).toBeUndefined();
    await push('latest', folderArtifactType);
    clock.time += 5000;
    await push('latest', folderArtifactType);
    expect(await folders.pushedAt(repository)).toBe(clock.time);
    expect(await folders.remove(repository)).toBe(true);
    expect(registry.listRepositories()).toEqual([]);
    expect(await folders.remove(repository)).toBe(true);
  });

  it('has none where there is anything else', async () => {
    const { folders, push } = await setUp();
    await push('latest', 'application/vnd.unknown.artifact.v1');
    expect(await folders.pushedAt(repository)).toBeUndefined();
    await push('latest', folderArtifactType);
    expect(await folders.pushedAt(repository)).toBeDefined();
    await push('v1', folderArtifactType);
    expect(await folders.pushedAt(repository)).toBeUndefined();
  });

  it('removes no other repository for it', async () => {
    const { folders, pushImage, registry } = await setUp();
    await pushImage('team/app', 'latest');
    expect(await folders.remove('team/app')).toBe(false);
    expect(registry.listRepositories()).toEqual(['team/app']);
  });
});
