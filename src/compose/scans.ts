import type { PushEvent, QuarantineEvent, RegistryEvent } from '../domain/event.ts';
import { fail, toFailure } from '../domain/failure.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import type { ScannedImage, ScanPolicy } from '../domain/registry-scan.ts';
import type { ScanDesk } from '../domain/scan-desk.ts';
import type { Installation } from '../installation.ts';
import { matchesPattern } from '../registry/access/pattern.ts';
import type { Registry } from '../registry/options.ts';
import { startScan } from '../trigger/scan.ts';
import type { TaskRunDeps } from '../trigger/run-of-task.ts';
import type { SubmitDeps } from '../trigger/submit.ts';

export interface ScansOptions {
  readonly installation: Pick<Installation, 'config' | 'logger' | 'store'>;
  readonly registry: Pick<Registry, 'scanPolicy' | 'resolve'>;
  readonly submit: SubmitDeps & TaskRunDeps;
}

/** What starts scans. */
export interface Scans {
  readonly desk: ScanDesk;
  /** Starts the scan that a push asks for, if any. Rejects only where asking again may help. */
  readonly noticePush: (event: RegistryEvent) => Promise<void>;
}

const imageConfigs: readonly (string | undefined)[] = [
  undefined, // an index
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
];

/** The tags under which clients without referrers keep what is about an image: `sha256-<hex>`, `….sig`, `….att`. */
const attachmentTag = /^sha(?:256|512)-[0-9a-f]{64,128}(?:\..+)?$/;

/**
 * An image that was pushed by tag: what is about another one (a report above all) is not scanned, and what is pushed by digest alone belongs
 * to an index that follows. What was put into quarantine counts as an image, whatever it says of itself.
 */
function isImage(event: RegistryEvent): event is PushEvent | QuarantineEvent {
  if (event.kind !== 'push' && event.kind !== 'quarantine') return false;
  if (event.tag === undefined) return false;
  if (event.kind === 'quarantine') return true;
  return event.subject === undefined && !attachmentTag.test(event.tag) && imageConfigs.includes(event.configMediaType);
}

function covers({ repositories }: ScanPolicy, repository: string): boolean {
  return repositories.some((pattern) => matchesPattern(pattern, repository));
}

/** Opens what scans images that are pushed, and those that people name. */
export function createScans({ installation, registry, submit }: ScansOptions): Scans {
  const { config, logger, store } = installation;
  const { scanPolicy } = registry;
  const deps = { ...submit, tasks: store.tasks };
  const describe = (at: Omit<ScannedImage, 'registry'>): ScannedImage => ({ registry: config.registryHost, ...at });

  const noticePush: Scans['noticePush'] = async (event) => {
    const policy = scanPolicy.get();
    if (policy === undefined || !isImage(event) || !covers(policy, event.repository)) return;
    const { repository, tag, digest, mediaType, size } = event;
    const image = describe({ repository, digest, mediaType, size, ...(tag !== undefined && { tag }) });
    try {
      await startScan(deps, { policy, image });
    } catch (error) {
      if (toFailure(error).reason === 'redis-unavailable') throw error;
      logger.error({ err: error, repository, digest }, 'an image that was pushed could not be scanned');
    }
  };

  const start: ScanDesk['start'] = async (text, by) => {
    const policy = scanPolicy.get();
    if (policy === undefined)
      throw fail('conflict', 'there is no scan policy', { hint: 'slipway registry scan set says what scans' });
    const { repository, tag = 'latest', digest: asked } = parseImageReference(text);
    const found = registry.resolve(repository, asked ?? tag);
    if (found === undefined) throw fail('not-found', `there is no image ${text}`);
    const image = describe({ repository, ...found, ...(asked === undefined && { tag }) });
    return (await startScan(deps, { policy, image, by })).runId;
  };

  return { desk: { ...scanPolicy, start }, noticePush };
}
