import type { Digest } from '../domain/digest.ts';
import type { RegistryEvent } from '../domain/event.ts';
import { fail } from '../domain/failure.ts';
import type { RepositoryName, Tag } from '../domain/image-reference.ts';
import type {
  BlobRecord,
  CondemnedContent,
  DeletedManifest,
  ManifestRecord,
  RepositoryRecord,
  TagRecord,
} from './records.ts';

/**
 * What a commit writes into the journal, and what a snapshot is a list of. Each says what is so from now on, whatever was
 * before: changes that are applied again, in their order, come to the same state. `undefined` (no `record`) takes away.
 */
export type Change =
  | { readonly is: 'repository'; readonly repository: RepositoryName; readonly record?: RepositoryRecord }
  | {
      readonly is: 'manifest';
      readonly repository: RepositoryName;
      readonly digest: Digest;
      readonly record?: ManifestRecord;
      /** Base64 of the manifest, when it is small: until its bytes lie in the blob store, they are to be had from here. */
      readonly bytes?: string;
    }
  | {
      readonly is: 'tag';
      readonly repository: RepositoryName;
      readonly tag: Tag;
      readonly record?: TagRecord;
      /** When. */
      readonly at: string;
    }
  | {
      readonly is: 'blob';
      readonly repository: RepositoryName;
      readonly digest: Digest;
      readonly record?: BlobRecord;
      /** As a manifest's. */
      readonly bytes?: string;
    }
  | {
      readonly is: 'deleted';
      readonly repository: RepositoryName;
      readonly digest: Digest;
      readonly record?: DeletedManifest;
    }
  /** By this tag or digest, something was pulled at this time: it was pulled last then, or later. What is not there was not pulled. */
  | { readonly is: 'pulled'; readonly repository: RepositoryName; readonly reference: string; readonly at: string }
  | { readonly is: 'content'; readonly digest: Digest; readonly record?: CondemnedContent }
  /** An event that is to be told; without `record`: it was. */
  | { readonly is: 'event'; readonly id: string; readonly record?: RegistryEvent }
  /** A record of somebody else's making: scope maps, tokens, policies. */
  | { readonly is: 'document'; readonly kind: string; readonly name: string; readonly record?: object };

/** One entry of the journal: several commits that were made durable together. */
export interface JournalRecord {
  readonly version: 1;
  readonly changes: readonly Change[];
  /** The last entry of its journal: the registry goes on in another one (journal-switch.ts). */
  readonly isRetired?: true;
}

/** The bytes of an entry. */
export function encodeChanges(changes: readonly Change[]): Buffer {
  return encodeParts([encodePart(changes)]);
}

/** What some changes are in an entry. */
export function encodePart(changes: readonly Change[]): Buffer {
  return Buffer.from(changes.map((change) => JSON.stringify(change)).join(','));
}

/** The bytes of an entry of several parts, a {@link JournalRecord}. */
export function encodeParts(parts: readonly Buffer[]): Buffer {
  const comma = Buffer.from(',');
  const some = parts.filter((part) => part.length > 0);
  const separated = some.flatMap((part, at) => (at === 0 ? [part] : [comma, part]));
  return Buffer.concat([Buffer.from('{"version":1,"changes":['), ...separated, Buffer.from(']}')]);
}

/** The entry after which a journal is not used any more. */
export function encodeRetirement(): Buffer {
  const record: JournalRecord = { version: 1, changes: [], isRetired: true };
  return Buffer.from(JSON.stringify(record));
}

/** Whether an entry is that one. */
export function isRetirement(bytes: Uint8Array): boolean {
  return bytes.length < 256 && (JSON.parse(Buffer.from(bytes).toString('utf8')) as JournalRecord).isRetired === true;
}

/** The reverse; throws a plain error for what this version cannot read, and `storage-unavailable` at the end of a journal that is not used any more. */
export function decodeChanges(bytes: Uint8Array): readonly Change[] {
  const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as JournalRecord;
  const version: unknown = record.version;
  if (version !== 1) throw new Error(`an entry of the registry's journal has version ${String(version)}`);
  if (record.isRetired === true) {
    throw fail('storage-unavailable', 'the registry goes on in another journal, which this process does not use', {
      hint: 'start all processes with the same SLIPWAY_REGISTRY_SHARED',
    });
  }
  return record.changes;
}
