import type { PushEvent, RegistryEvent } from '../domain/event.ts';
import { isRunId, type Run, type RunId } from '../domain/run.ts';
import type { PatchQueue, ToldUpdate } from '../queue/ports.ts';

export interface OwnPushesOptions {
  /** Our registry's host as it stands in image names. */
  readonly registryHost: string;
  readonly getRun: (id: RunId) => Promise<Pick<Run, 'cause'> | undefined>;
  readonly publish: PatchQueue['publish'];
  /** Told of what nothing comes of. */
  readonly onIgnored: (event: RegistryEvent, because: string) => void;
}

/** Why a push is no change of a base image, whoever has made it; undefined: it is one. */
function isNoBase({ tag, subject, by }: PushEvent): string | undefined {
  if (tag === undefined) return 'it has no tag';
  if (subject !== undefined) return 'it is about another image';
  return by?.startsWith('campaign:') === true ? 'a campaign pointed its tag back' : undefined;
}

/** Whether a run of a campaign has made the push. */
async function isOfCampaign({ by }: PushEvent, getRun: OwnPushesOptions['getRun']): Promise<boolean> {
  const id = by?.startsWith('run:') === true ? by.slice(4) : '';
  const cause = isRunId(id) ? (await getRun(id))?.cause : undefined;
  return cause?.kind === 'image-update' && cause.campaign !== undefined;
}

async function findReason(event: RegistryEvent, { getRun }: OwnPushesOptions): Promise<string | undefined> {
  if (event.kind !== 'push') return 'nothing was pushed';
  const because = isNoBase(event);
  if (because !== undefined) return because;
  return (await isOfCampaign(event, getRun)) ? 'its campaign looks at it when the run has ended' : undefined;
}

/**
 * Passes pushes to our own registry on to base-image patching. What campaigns push is their own affair: they compare what tags stand for
 * when a run has ended. Rejects as the store and the queue do; to be called again then.
 */
export function createOwnPushes(options: OwnPushesOptions): (event: RegistryEvent) => Promise<void> {
  return async (event) => {
    const because = await findReason(event, options);
    if (because !== undefined || event.kind !== 'push' || event.tag === undefined) {
      options.onIgnored(event, because ?? 'it has no tag');
      return;
    }
    const { repository, tag, digest, at, by } = event;
    const image = { registry: options.registryHost.toLowerCase(), repository, tag, digest };
    const update: ToldUpdate = { image, source: 'registry', at, ...(by !== undefined && { by }) };
    await options.publish({ kind: 'told', update });
  };
}
