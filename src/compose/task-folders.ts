import { folderArtifactType, folderTag } from '../domain/task-folder.ts';
import type { Digest } from '../domain/digest.ts';
import type { Installation } from '../installation.ts';
import { connectRegistry } from '../registry-client/client.ts';
import type { Answer, Method } from '../registry-client/ports.ts';
import { refusalOf } from '../registry-client/refusal.ts';
import { createSender } from '../registry-client/sender.ts';
import { discard, readSmall } from '../registry-client/small-body.ts';
import { createSigner } from '../secret/sign.ts';
import { issueSystemCredential, systemPurpose } from '../secret/system-credential.ts';
import type { FolderRegistry } from '../worker/left-folders.ts';
import { folderKeeper } from './registry-login.ts';

const timeoutMs = 30_000;
const mostBytes = 4 * 1024 * 1024;

interface Tag {
  readonly name: string;
  readonly digest: Digest;
  readonly lastUpdateTime: string;
}

/** Our registry, as the process that removes the folders of deleted tasks uses it. */
export function createFolderRegistry({
  config,
  clock,
  key,
}: Pick<Installation, 'config' | 'clock' | 'key'>): FolderRegistry {
  const signer = createSigner(key, systemPurpose);
  const sender = createSender();
  const origin = config.patching.registryUrl ?? config.url;
  const login = () => issueSystemCredential(signer, clock, folderKeeper);
  /** Answers other than these are refusals. */
  const ask = async (method: Method, path: string, expected: readonly number[]): Promise<Answer> => {
    const { userName, password } = login();
    const authorization = `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
    const answer = await sender.send({
      url: `${origin}/acr/v1/${path}`,
      method,
      headers: { authorization },
      timeoutMs,
    });
    if (expected.includes(answer.status)) return answer;
    throw await refusalOf(config.registryHost, `${method} acr/v1/${path}`, answer, clock.now());
  };
  const isFolder = async (repository: string, digest: Digest): Promise<boolean> => {
    const client = connectRegistry({ origin, credential: login(), sender, clock });
    const manifest = await client.manifest(repository, digest);
    const { artifactType } = JSON.parse(manifest?.bytes.toString('utf8') ?? '{}') as {
      readonly artifactType?: unknown;
    };
    return artifactType === folderArtifactType;
  };
  return {
    async pushedAt(repository) {
      const answer = await ask('GET', `${repository}/_tags`, [200, 404]);
      const text = (await readSmall(answer.body, mostBytes, 'the list of tags')).toString('utf8');
      if (answer.status === 404) return undefined;
      const { tags = [] } = JSON.parse(text) as { readonly tags?: readonly Tag[] };
      const [tag, other] = tags;
      if (tag?.name !== folderTag || other !== undefined) return undefined;
      return (await isFolder(repository, tag.digest)) ? Date.parse(tag.lastUpdateTime) : undefined;
    },
    async remove(repository) {
      const answer = await ask('DELETE', repository, [202, 403, 404, 405]);
      discard(answer);
      return answer.status === 202 || answer.status === 404;
    },
  };
}
