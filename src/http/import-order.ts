import { fail } from '../domain/failure.ts';
import { identifyImage, isRepositoryName, isTag, parseImageReference } from '../domain/image-reference.ts';
import type { ImportOrder, ImportSource, ImportTarget } from '../domain/registry-import.ts';
import type { AppConfig } from './options.ts';

/** As `schemas/api/import-image.schema.json` has it. */
export interface ImportBody {
  readonly source: {
    readonly registryUri?: string;
    readonly resourceId?: string;
    readonly sourceImage: string;
    readonly credentials?: { readonly username?: string; readonly password: string };
  };
  readonly targetTags?: readonly string[];
  readonly untaggedTargetRepositories?: readonly string[];
  readonly mode?: 'NoForce' | 'Force';
  readonly platforms?: readonly string[];
  readonly referrers?: boolean;
}

type Own = Pick<AppConfig, 'name' | 'registryHost'>;

/** The registry's host; undefined: our own. */
function readRegistry({ registryUri, resourceId }: ImportBody['source'], own: Own): string | undefined {
  if (resourceId !== undefined) {
    const name = resourceId.slice(resourceId.lastIndexOf('/') + 1);
    if (registryUri === undefined && name.toLowerCase() === own.name.toLowerCase()) return undefined;
    throw fail('invalid-request', 'source.resourceId can only be that of this registry', {
      field: 'source.resourceId',
      hint: 'name another registry by source.registryUri',
    });
  }
  const host = registryUri
    ?.replace(/^https:\/\//i, '')
    .replace(/\/+$/, '')
    .toLowerCase();
  return host === own.registryHost.toLowerCase() ? undefined : host;
}

function readSource({ source }: ImportBody, own: Own): ImportSource {
  const { sourceImage, credentials } = source;
  const registry = readRegistry(source, own);
  const field = 'source.sourceImage';
  const named = parseImageReference(`${registry ?? 'localhost'}/${sourceImage}`, field);
  const { repository, tag, digest } = registry === undefined ? named : identifyImage(named);
  return {
    ...(registry !== undefined && { registry: identifyImage(named).registry }),
    ...{ repository, reference: digest ?? tag ?? 'latest' },
    ...(credentials && { credential: { userName: credentials.username ?? '', password: credentials.password } }),
  };
}

function readTargetTag(text: string, field: string): ImportTarget {
  const { registry, repository, tag = 'latest', digest } = parseImageReference(`localhost/${text}`, field);
  const isFit = registry === 'localhost' && digest === undefined && isRepositoryName(repository) && isTag(tag);
  if (isFit) return { repository, tag };
  throw fail('invalid-request', `${field} has to be repository:tag`, { field });
}

function readUntagged(text: string, field: string): ImportTarget {
  if (isRepositoryName(text)) return { repository: text };
  throw fail('invalid-request', `${field} has to be a repository`, { field });
}

function usualTarget({ repository, reference }: ImportSource): ImportTarget {
  if (isRepositoryName(repository)) return isTag(reference) ? { repository, tag: reference } : { repository };
  throw fail('invalid-request', 'targetTags is missing', { field: 'targetTags' });
}

/** Reads what is to be imported. Throws `invalid-request`. */
export function readImportOrder(body: ImportBody, own: Own): ImportOrder {
  const source = readSource(body, own);
  const tagged = (body.targetTags ?? []).map((text, at) => readTargetTag(text, `targetTags[${String(at)}]`));
  const untagged = (body.untaggedTargetRepositories ?? []).map((text, at) =>
    readUntagged(text, `untaggedTargetRepositories[${String(at)}]`),
  );
  const targets = [...tagged, ...untagged];
  return {
    source,
    targets: targets.length > 0 ? targets : [usualTarget(source)],
    isForced: body.mode === 'Force',
    ...(body.platforms && { platforms: body.platforms }),
    withReferrers: body.referrers ?? true,
  };
}
