import type { Report } from '../diagnostic.ts';
import { mountKeys, volumeKeys } from '../keys.ts';
import { suggest } from '../../domain/nearest.ts';
import type { Volume, VolumeMount } from '../../domain/step.ts';
import { readFields, readList, readMap, type Fields } from '../yaml/fields.ts';
import type { YamlMap, YamlNode } from '../yaml/tree.ts';

const volumeName = /^[a-zA-Z0-9_-]+$/;
const fileName = /^[a-zA-Z0-9_.-]+$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

type File = Volume['files'][number];

function readFiles(secret: YamlMap, report: Report): readonly File[] {
  const files = new Map<string, string>();
  for (const { key, keyAt, value } of secret.entries) {
    if (!fileName.test(key) || key === '.' || key === '..') {
      report.error(keyAt, 'volume', 'a file in a volume is named with letters, digits, "_", "." and "-"');
      continue;
    }
    if (value.kind !== 'scalar') {
      report.error(value.at, 'type', `the content of "${key}" must be a text in Base64, and this is a ${value.kind}`);
      continue;
    }
    const content = value.text.replace(/\s+/g, '');
    if (!base64.test(content))
      report.warn(value.at, 'volume', `the content of "${key}" is no Base64`, 'use {{.Values.name | b64enc}}');
    files.set(key, content);
  }
  return [...files].map(([name, contentBase64]) => ({ name, contentBase64 }));
}

/** The files of a volume, or undefined when it says nothing of them, which is an error. */
function readContent(
  { name, secret }: Fields<typeof volumeKeys>,
  at: number,
  report: Report,
): readonly File[] | undefined {
  const map = secret === undefined ? undefined : readMap(secret.value, 'secret', report);
  if (map !== undefined && map.entries.length > 0) return readFiles(map, report);
  const isSaid = secret !== undefined && map === undefined;
  if (!isSaid)
    report.error(secret?.at ?? at, 'volume', `volume "${name?.value ?? ''}" needs "secret" with at least one file`);
  return undefined;
}

function readVolume(node: YamlNode, names: Set<string>, report: Report): readonly Volume[] {
  const map = readMap(node, 'a volume', report);
  if (map === undefined) return [];
  const fields = readFields(map, { table: volumeKeys, of: 'a volume' }, report);
  const { name } = fields;
  if (name === undefined || !volumeName.test(name.value)) {
    report.error(name?.at ?? map.at, 'volume', 'a volume needs a name of letters, digits, "_" and "-"');
    return [];
  }
  if (names.has(name.value)) report.error(name.at, 'volume', `there is a volume "${name.value}" already`);
  names.add(name.value);
  const files = readContent(fields, map.at, report);
  return files === undefined ? [] : [{ name: name.value, files }];
}

/** Reads `volumes` (acr-tasks.md §1.7). `names` are all that were declared, those with faults too, so that mounts are judged by them. */
export function readVolumes(
  node: YamlNode | undefined,
  report: Report,
): { readonly volumes: readonly Volume[]; readonly names: readonly string[] } {
  const items = node === undefined ? [] : (readList(node, 'volumes', report)?.items ?? []);
  const names = new Set<string>();
  const volumes = items.flatMap((item) => readVolume(item, names, report));
  return { volumes, names: [...names] };
}

function readMount(node: YamlNode, volumes: readonly string[], report: Report): readonly VolumeMount[] {
  const map = readMap(node, 'an item of volumeMounts', report);
  if (map === undefined) return [];
  const { name, mountPath } = readFields(map, { table: mountKeys, of: 'an item of volumeMounts' }, report);
  if (!name?.value || !mountPath?.value) {
    report.error(map.at, 'volume', 'an item of volumeMounts needs "name" and "mountPath"');
    return [];
  }
  if (!volumes.includes(name.value))
    report.error(name.at, 'volume', `there is no volume "${name.value.slice(0, 60)}"`, suggest(name.value, volumes));
  if (!mountPath.value.startsWith('/')) report.warn(mountPath.at, 'volume', 'a mountPath begins with "/"');
  return [{ volume: name.value, path: mountPath.value }];
}

/** Reads a step's `volumeMounts`; each path once, each volume declared. */
export function readMounts(
  node: YamlNode | undefined,
  volumes: readonly string[],
  report: Report,
): readonly VolumeMount[] {
  const items = node === undefined ? [] : (readList(node, 'volumeMounts', report)?.items ?? []);
  const mounts = items.flatMap((item) => readMount(item, volumes, report));
  const paths = new Set<string>();
  for (const { path } of mounts) {
    if (paths.has(path)) report.error(node?.at ?? 0, 'volume', `two volumes are mounted at ${path}`);
    paths.add(path);
  }
  return mounts;
}
