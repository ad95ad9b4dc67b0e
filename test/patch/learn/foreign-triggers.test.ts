import { describe, expect, it, onTestFinished } from 'vitest';
import type { RegistryCredential } from '../../../src/domain/run-request.ts';
import type { TaskName } from '../../../src/domain/task.ts';
import { createForeignTriggers } from '../../../src/patch/learn/foreign-triggers.ts';
import { createSender } from '../../../src/registry-client/sender.ts';
import { createRegistrySession } from '../../../src/registry-client/session.ts';
import { imageType, indexType, startRegistry } from '../../registry/rig.ts';

const admin = { userName: 'admin', password: 'secret' };
const platform = 'linux/amd64';
const task = 'app' as TaskName;

interface Credentials {
  readonly own?: readonly RegistryCredential[];
  readonly operators?: RegistryCredential;
}

/** A registry of ours that plays the foreign one, an image in it, and a reader with these credentials. */
async function open({ own = [], operators }: Credentials, onBuild: unknown = ['COPY . /app', 7, 'RUN x']) {
  const there = await startRegistry();
  onTestFinished(() => there.stop());
  const registry = new URL(there.url).host;
  const put = async (reference: string, mediaType: string, more: object): Promise<{ digest: string; size: number }> => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType, ...more });
    const headers = { 'content-type': mediaType };
    const answer = await there.send('PUT', `/v2/team/base/manifests/${reference}`, { headers, body });
    return { digest: answer.headers.get('docker-content-digest') ?? '', size: Buffer.byteLength(body) };
  };
  const bytes = JSON.stringify({ config: { OnBuild: onBuild } });
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', size: Buffer.byteLength(bytes) };
  const digest = await there.pushBlob('team/base', bytes);
  const image = await put('v1', imageType, { config: { ...config, digest }, layers: [] });
  const entry = { mediaType: imageType, ...image, platform: { os: 'linux', architecture: 'amd64' } };
  await put('all', indexType, { manifests: [entry] });
  const asked: unknown[] = [];
  const session = createRegistrySession({ sender: createSender(), clock: { now: Date.now } });
  const read = createForeignTriggers({
    ask: (request) => {
      asked.push(request.path);
      const credentials = async () => [...((await request.credentials?.()) ?? []), ...(operators ? [operators] : [])];
      return session({ ...request, credentials });
    },
    credentialsFor: async (_registry, tasks) => (tasks.includes(task) ? own : []),
    hasCredential: async () => operators !== undefined,
    clock: { now: Date.now },
  });
  const of = (tag: string, on = platform) => read({ registry, repository: 'team/base', tag }, on, task);
  return { of, asked };
}

describe('the triggers that an image of another registry holds', () => {
  it('are read with what the task brings, or with what the operator has set', async () => {
    const triggers = ['COPY . /app', 'RUN x'];
    expect(await (await open({ own: [admin] })).of('v1')).toEqual(triggers);
    const { of } = await open({ operators: admin });
    expect(await of('v1')).toEqual(triggers);
    expect(await of('all')).toEqual(triggers);
    expect(await of('all', 'linux/x86_64')).toEqual(triggers);
  });

  it('are none where there is no image, or none for the platform', async () => {
    const { of } = await open({ operators: admin });
    expect(await of('v2')).toEqual([]);
    expect(await of('all', 'linux/arm64')).toEqual([]);
    expect(await (await open({ operators: admin }, 'RUN x')).of('v1')).toEqual([]);
  });

  it('are not asked for where nobody has a credential: strangers have few pulls', async () => {
    const { of, asked } = await open({});
    expect(await of('v1')).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('are not to be had with a wrong password', async () => {
    const { of } = await open({ operators: { ...admin, password: 'wrong' } });
    await expect(of('v1')).rejects.toMatchObject({ status: 401 });
  });
});
