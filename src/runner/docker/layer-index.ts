import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import type { Descriptor } from '../../rebase/documents.ts';
import { impliedMark, type LayerIndex, type Mark } from '../../rebase/layout.ts';
import { refuse } from '../../rebase/refusal.ts';
import type { RegistryClient } from '../../registry-client/client.ts';

/** Where a layer is. */
export interface PlacedLayer {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly layer: Descriptor;
}

/** What is in layers: read once for each, however many images stand on them. */
export interface LayerIndexes {
  /** Rejects with a Refusal for a layer that is too large to be looked at, or is none. */
  of(place: PlacedLayer): Promise<LayerIndex>;
}

/** Bounds of what is read and kept. */
export interface IndexLimits {
  /** Entries of one layer. */
  readonly layerEntries: number;
  /** Bytes of one layer, unpacked. */
  readonly layerBytes: number;
  /** Entries of all layers that are kept. */
  readonly keptEntries: number;
}

const usualLimits: IndexLimits = { layerEntries: 300_000, layerBytes: 16 * 1024 ** 3, keptEntries: 600_000 };

/** `/usr/bin` for `./usr/bin/`; undefined for a path that leaves the root. */
function pathOf(name: string): string | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : parts.map((part) => `/${part}`).join('');
}

function markOf({ type, mode, uid, gid, linkname, pax }: Header): Mark {
  if (type === 'symlink') return `l:${linkname}`;
  if (type !== 'directory') return 'f';
  const attributes = Object.entries(pax ?? {}).filter(([name]) => name.startsWith('SCHILY.xattr.'));
  const more = attributes.length > 0 ? `:${JSON.stringify(attributes.sort())}` : '';
  return `d:${(mode & 0o7777).toString(8)}:${uid}:${gid}${more}`;
}

/** Paths longer than that no Linux opens. */
const maxPath = 4096;

/** Collects what the entries of a layer say (image-spec, layer.md, "Whiteouts"). */
class Collector {
  readonly marks = new Map<string, Mark>();
  readonly opaque = new Set<string>();
  readonly filled = new Set<string>();

  take(header: Header): void {
    const path = pathOf(header.name);
    if (path === undefined) return refuse('a layer has paths that leave its root');
    if (path.length > maxPath) return refuse('a layer has a path that is too long');
    if (path === '') {
      this.show(path, markOf(header));
      return;
    }
    const slash = path.lastIndexOf('/');
    const [directory, name] = [path.slice(0, slash), path.slice(slash + 1)];
    this.enter(directory);
    if (name === '.wh..wh..opq') this.opaque.add(directory);
    else if (name.startsWith('.wh.')) this.hide(`${directory}/${name.slice('.wh.'.length)}`);
    else this.show(path, markOf(header));
  }

  /** Sees to the directories that an entry takes for granted: many a tool writes none of their own. */
  private enter(directory: string): void {
    for (let path = directory; !this.filled.has(path); path = path.slice(0, path.lastIndexOf('/'))) {
      this.filled.add(path);
      if (path === '') return;
      const mark = this.marks.get(path);
      if (mark === undefined) this.marks.set(path, impliedMark);
      else if (mark === 'x') this.show(path, 'd:');
    }
  }

  private hide(path: string): void {
    const mark = this.marks.get(path);
    if (mark === undefined) this.marks.set(path, 'x');
    else this.opaque.add(path);
    if (mark === impliedMark) this.marks.set(path, 'd:');
  }

  private show(path: string, mark: Mark): void {
    if (this.marks.get(path) === 'x') this.opaque.add(path);
    this.marks.set(path, mark);
  }

  index(): LayerIndex {
    const { marks, opaque, filled } = this;
    const shaping = [...marks].flatMap(([path, mark]) => (mark === 'f' ? [] : [path]));
    return { marks, opaque, filled, shaping: shaping.sort() };
  }
}

async function read({ client, repository, layer }: PlacedLayer, limits: IndexLimits): Promise<LayerIndex> {
  const blob = await client.openBlob(repository, layer.digest);
  const collector = new Collector();
  const entries = extract();
  let bytes = 0;
  entries.on('entry', (header, content, next) => {
    try {
      collector.take(header);
      bytes += header.size;
      if (bytes > limits.layerBytes || collector.marks.size > limits.layerEntries) {
        refuse('a layer is too large to be looked at');
      }
    } catch (error) {
      entries.destroy(error instanceof Error ? error : undefined);
      return;
    }
    content.on('end', next);
    content.resume();
  });
  if (layer.mediaType.endsWith('gzip')) await pipeline(blob, createGunzip(), entries);
  else await pipeline(blob, entries);
  return collector.index();
}

/** Keeps the indexes of layers, the latest ones, by their digests. */
export function createLayerIndexes(limits: IndexLimits = usualLimits): LayerIndexes {
  const kept = new Map<string, { readonly index: Promise<LayerIndex>; entries: number }>();
  const makeRoom = (): void => {
    let entries = [...kept.values()].reduce((sum, one) => sum + one.entries, 0);
    for (const [digest, one] of kept) {
      if (entries <= limits.keptEntries) return;
      kept.delete(digest);
      entries -= one.entries;
    }
  };
  return {
    of: async (place) => {
      const { digest } = place.layer;
      const known = kept.get(digest);
      const entry = known ?? { index: read(place, limits), entries: 1 };
      kept.delete(digest);
      kept.set(digest, entry);
      try {
        const index = await entry.index;
        entry.entries = index.marks.size + 1;
        if (known === undefined) makeRoom();
        return index;
      } catch (error) {
        if (kept.get(digest) === entry) kept.delete(digest);
        throw error;
      }
    },
  };
}
