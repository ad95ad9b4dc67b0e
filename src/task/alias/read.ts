import type { Report } from '../diagnostic.ts';
import type { Limits } from '../limits.ts';
import { aliasKeys } from '../keys.ts';
import { readFields, readMap } from '../yaml/fields.ts';
import { parseYaml } from '../yaml/parse.ts';
import type { YamlMap, YamlNode } from '../yaml/tree.ts';
import { defaultImageAliases, variableAliases } from './built-in.ts';

/** Gives the text of an alias file by its path or URL; throws an `Error` whose message says why it cannot. */
export type ReadAliasSource = (source: string) => string;

/** What an `alias:` block comes to. */
export interface Aliases {
  readonly values: ReadonlyMap<string, string>;
  /** The character that marks an alias. */
  readonly directive: string;
}

/** Where aliases come from besides the task itself. */
export interface AliasSources {
  readonly limits: Limits;
  /** Images by their one-word names. */
  readonly images?: Readonly<Record<string, string>> | undefined;
  readonly readSource?: ReadAliasSource | undefined;
}

const name = /^[a-zA-Z0-9]+$/;
const oneCharacter = /^.$/su;

/** The names and texts of a map, checked; later ones win. */
function readTexts(
  node: YamlNode,
  what: string,
  report: Report,
  at = (offset: number): number => offset,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  if (node.kind !== 'map') {
    if (node.kind !== 'scalar' || node.text !== '')
      report.error(at(node.at), 'alias', `${what} must be a map of names to texts`);
    return texts;
  }
  for (const { key, keyAt, value } of node.entries) {
    if (!name.test(key)) {
      const hint = 'use letters and digits only';
      report.error(at(keyAt), 'alias', `${JSON.stringify(key.slice(0, 60))} cannot be the name of an alias`, hint);
    } else if (value.kind !== 'scalar')
      report.error(at(value.at), 'alias', `the alias "${key}" must be a text, and this is a ${value.kind}`);
    else texts.set(key, value.text);
  }
  return texts;
}

function readFile(
  source: string,
  at: number,
  { readSource, limits }: AliasSources,
  report: Report,
): ReadonlyMap<string, string> {
  try {
    if (readSource === undefined) throw new Error('files of aliases are not read here');
    const text = readSource(source);
    if (text.length > limits.bytes) throw new Error(`it is larger than ${limits.bytes} bytes`);
    const root = parseYaml(text, limits, { ...report, error: (_at, code, message) => report.error(at, code, message) });
    return root === undefined ? new Map() : readTexts(root, source, report, () => at);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read';
    report.error(at, 'alias', `the alias source ${JSON.stringify(source.slice(0, 200))} cannot be used: ${why}`);
    return new Map();
  }
}

function readDirective(given: { readonly value: string; readonly at: number } | undefined, report: Report): string {
  if (given === undefined || given.value === '') return '$';
  if (oneCharacter.test(given.value) && !name.test(given.value)) return given.value;
  report.error(given.at, 'alias', 'directive must be one character that is neither a letter nor a digit');
  return '$';
}

/** The map below `alias:`; undefined when there is none, or after an error. */
function findBlock(root: YamlNode | undefined, report: Report): YamlMap | undefined {
  const entry = root?.kind === 'map' ? root.entries.findLast(({ key }) => key === 'alias')?.value : undefined;
  const isEmpty = entry === undefined || (entry.kind === 'scalar' && entry.text === '');
  return isEmpty ? undefined : readMap(entry, 'alias', report);
}

/** What the block's map says; nothing when there is none. */
function readBlock(
  block: string,
  sources: AliasSources,
  report: Report,
): Pick<Aliases, 'directive'> & { readonly parts: readonly ReadonlyMap<string, string>[] } {
  const map = findBlock(parseYaml(block, sources.limits, report), report);
  if (map === undefined) return { parts: [], directive: '$' };
  const { src, values, directive } = readFields(map, { table: aliasKeys, of: 'alias' }, report);
  const files = (src?.value ?? []).map(({ value, at }) => readFile(value, at, sources, report));
  const own = values === undefined ? [] : [readTexts(values.value, 'values', report)];
  return { parts: [...files, ...own], directive: readDirective(directive, report) };
}

/**
 * Reads an `alias:` block, already rendered. Precedence: `values`, then the later of the `src` files, the earlier, and the built-in ones
 * (acr-tasks.md §2.4).
 */
export function readAliases(block: string, sources: AliasSources, report: Report): Aliases {
  const builtIn = [...Object.entries(variableAliases), ...Object.entries(sources.images ?? defaultImageAliases)];
  const { parts, directive } = readBlock(block, sources, report);
  return { values: new Map([...builtIn, ...parts.flatMap((part) => [...part])]), directive };
}
