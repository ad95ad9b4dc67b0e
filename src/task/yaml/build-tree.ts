import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Alias,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Report } from '../diagnostic.ts';
import type { Limits } from '../limits.ts';
import type { YamlEntry, YamlMap, YamlNode, YamlScalar } from './tree.ts';

/** What is known while a document is walked, in its order. */
interface Walk {
  readonly limits: Limits;
  readonly report: Report;
  readonly anchors: Map<string, YamlNode | 'open'>;
  aliases: number;
  values: number;
}

interface Ranged {
  readonly range?: readonly [number, number, number] | null | undefined;
}

function startOf(node: unknown): number {
  return (node as Ranged | null)?.range?.[0] ?? 0;
}

function emptyAt(at: number): YamlScalar {
  return { kind: 'scalar', text: '', isPlain: true, at, size: 1 };
}

const textTag = 'tag:yaml.org,2002:str';

function readScalar(node: Scalar, at: number): YamlScalar {
  const text = node.source ?? (typeof node.value === 'string' ? node.value : '');
  const hasTag = node.tag !== undefined;
  const isPlain = hasTag ? node.tag !== textTag && node.tag !== '!' : node.type === 'PLAIN';
  return { kind: 'scalar', text, isPlain, at, size: 1 };
}

function readAlias(node: Alias, at: number, walk: Walk): YamlNode {
  walk.aliases += 1;
  const target = walk.anchors.get(node.source);
  if (walk.aliases === walk.limits.yamlAliases + 1)
    walk.report.error(at, 'limit', `there are more than ${walk.limits.yamlAliases} YAML aliases`);
  if (target === 'open') walk.report.error(at, 'yaml', `the anchor &${node.source} contains itself`);
  if (target === undefined) {
    const hint = 'put quotes around a value that begins with *';
    walk.report.error(at, 'yaml', `*${node.source} refers to an anchor that is not defined above`, hint);
  }
  return target === undefined || target === 'open' || walk.aliases > walk.limits.yamlAliases ? emptyAt(at) : target;
}

/** The entries that a merge key brings in; of several maps the earlier one counts. */
function mergedEntries(value: YamlNode, walk: Walk): readonly YamlEntry[] {
  if (value.kind === 'map') return value.entries;
  if (value.kind === 'list') return [...value.items].reverse().flatMap((item) => mergedEntries(item, walk));
  walk.report.error(value.at, 'yaml', 'a merge key << takes a map or a list of maps');
  return [];
}

function readKey(key: unknown, walk: Walk): YamlScalar {
  const node = readNode(key, startOf(key), walk);
  if (node.kind === 'scalar') return node;
  walk.report.error(node.at, 'yaml', `a ${node.kind} cannot be a key`);
  return emptyAt(node.at);
}

/** Adds up entries and warns of keys that stand twice; a merge after a key overrides it, as the reference has it. */
function readMap(node: YAMLMap, at: number, walk: Walk): YamlMap {
  const entries: YamlEntry[] = [];
  const own = new Set<string>();
  for (const pair of node.items) {
    const key = readKey(pair.key, walk);
    const value = pair.value === null ? emptyAt(key.at) : readNode(pair.value, startOf(pair.value), walk);
    if (key.text === '<<' && key.isPlain) {
      const merged = mergedEntries(value, walk);
      const hidden = merged.find((entry) => own.has(entry.key));
      if (hidden !== undefined)
        walk.report.warn(key.at, 'duplicate-key', `this merge overrides "${hidden.key}" above`, 'put << first');
      entries.push(...merged);
    } else {
      if (own.has(key.text))
        walk.report.warn(key.at, 'duplicate-key', `"${key.text}" stands here for the second time; the last one counts`);
      own.add(key.text);
      entries.push({ key: key.text, keyAt: key.at, value });
    }
  }
  const size = entries.reduce((sum, entry) => sum + entry.value.size, 1);
  return { kind: 'map', entries, at, size };
}

function readList(node: YAMLSeq, at: number, walk: Walk): YamlNode {
  const items = node.items.map((item) => (item === null ? emptyAt(at) : readNode(item, startOf(item), walk)));
  return { kind: 'list', items, at, size: items.reduce((sum, item) => sum + item.size, 1) };
}

function readCollection(node: unknown, at: number, walk: Walk): YamlNode {
  if (isMap(node)) return readMap(node, at, walk);
  if (isSeq(node)) return readList(node, at, walk);
  return emptyAt(at);
}

function readNode(node: unknown, at: number, walk: Walk): YamlNode {
  walk.values += 1;
  if (isAlias(node)) return readAlias(node, at, walk);
  const anchor = (node as { readonly anchor?: string } | null)?.anchor;
  if (anchor !== undefined) walk.anchors.set(anchor, 'open');
  const read = isScalar(node) ? readScalar(node, at) : readCollection(node, at, walk);
  const limited = read.size > walk.limits.values ? emptyAt(at) : read;
  if (limited !== read) walk.report.error(at, 'limit', `there are more than ${walk.limits.values} values here`);
  if (anchor !== undefined) walk.anchors.set(anchor, limited);
  return limited;
}

/** Turns a composed document into plain nodes, resolving aliases and merge keys; faults go to `report`. */
export function buildTree(contents: ParsedNode, limits: Limits, report: Report): YamlNode {
  return readNode(contents, startOf(contents), { limits, report, anchors: new Map(), aliases: 0, values: 0 });
}
