import { fail } from '../../domain/failure.ts';
import {
  mediaTypes,
  parseFields,
  readDescriptor,
  type Descriptor,
  type Fields,
  type RegistryDocument,
} from '../documents.ts';

/** What a manifest names that has to be there before it. */
export type Parts =
  | { readonly kind: 'index'; readonly children: readonly Descriptor[]; readonly fields: Fields }
  | { readonly kind: 'image'; readonly config: Descriptor | undefined; readonly blobs: readonly Descriptor[] };

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.index, mediaTypes.dockerList]);
const imageTypes: ReadonlySet<string> = new Set([mediaTypes.image, mediaTypes.dockerImage, mediaTypes.artifact]);

/** Layers that a registry need not hold: they are fetched from where they say (OCI image-spec, "Non-Distributable Layers"; Docker's foreign ones). */
function isForeign({ mediaType }: Descriptor): boolean {
  return /\.(?:nondistributable\.|foreign\.)/.test(mediaType);
}

function descriptorOf(value: unknown, what: string): Descriptor {
  const found = readDescriptor(value);
  if (found === undefined) throw fail('invalid-request', `${what} names something without media type, digest or size`);
  return found;
}

function listIn(fields: Fields, name: string, what: string): readonly unknown[] {
  const list = fields[name] ?? [];
  if (!Array.isArray(list)) throw fail('invalid-request', `${what} has no list "${name}"`);
  return list;
}

function typeOf({ mediaType }: RegistryDocument, fields: Fields, what: string): string {
  const own = fields['mediaType'];
  const type = typeof own === 'string' ? own : mediaType;
  if (indexTypes.has(type) || imageTypes.has(type)) return type;
  if (fields['schemaVersion'] === 1)
    throw fail('unsupported', `${what} is an image of Docker's first schema, which is not copied`);
  throw fail('unsupported', `${what} is neither image nor index`);
}

/**
 * Reads what a manifest or index names; `what` is its name for messages.
 * @throws `invalid-request` for a broken one, `unsupported` for one of another kind.
 */
export function readParts(document: RegistryDocument, what: string): Parts {
  const fields = parseFields(document.bytes);
  if (fields === undefined) throw fail('invalid-request', `the manifest of ${what} is no JSON object`);
  const isIndex = indexTypes.has(typeOf(document, fields, what));
  // What is read in one way here and in another way there is two images under one digest (CVE-2021-41190).
  if ((isIndex ? ['config', 'layers', 'blobs'] : ['manifests']).some((name) => name in fields))
    throw fail('invalid-request', `${what} is an image and an index at once`);
  if (isIndex) {
    const children = listIn(fields, 'manifests', what).map((one) => descriptorOf(one, what));
    return { kind: 'index', children, fields };
  }
  const config = fields['config'] === undefined ? undefined : descriptorOf(fields['config'], what);
  const layers = [...listIn(fields, 'layers', what), ...listIn(fields, 'blobs', what)];
  const blobs = [...(config ? [config] : []), ...layers.map((one) => descriptorOf(one, what))];
  return { kind: 'image', config, blobs: blobs.filter((one) => !isForeign(one)) };
}
