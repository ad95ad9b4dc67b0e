/** A document as a tree of plain nodes; offsets are into the text that was parsed. Aliases share their anchor's node. */
export type YamlNode = YamlScalar | YamlList | YamlMap;

interface Base {
  readonly at: number;
  /** Values below and including this one, those behind aliases counted each time. */
  readonly size: number;
}

export interface YamlScalar extends Base {
  readonly kind: 'scalar';
  /** The text with quotes and escapes resolved. */
  readonly text: string;
  /** True when the text may mean a number, a boolean or null: it has no quotes. */
  readonly isPlain: boolean;
}

export interface YamlList extends Base {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
}

export interface YamlEntry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: YamlNode;
}

/** Entries in order, merge keys resolved; of those with the same key the last one counts. */
export interface YamlMap extends Base {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
}

/** What a scalar without quotes means. */
export type YamlValue = string | number | boolean | null;

const words = new Map<string, boolean | null>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

const special = new Map<string, number>([
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);

const decimal = /^[-+]?(?:0|[1-9][0-9]*)$/;
const based = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

function readBased(text: string): number | undefined {
  const found = based.exec(text);
  if (found === null) return undefined;
  const [, sign, hex, binary, octal] = found;
  const value =
    hex !== undefined ? parseInt(hex, 16) : binary !== undefined ? parseInt(binary, 2) : parseInt(octal ?? '0', 8);
  return sign === '-' ? -value : value;
}

/** A number as YAML 1.1 and the reference write it: `010` is eight, `1_000` a thousand. */
function readNumber(text: string): number | undefined {
  const digits = text.replaceAll('_', '');
  if (decimal.test(digits)) return Number(digits);
  const value = readBased(digits);
  if (value !== undefined) return value;
  return float.test(digits) ? Number(digits) : special.get(text);
}

/** What a scalar means by the rules of YAML 1.1 as the reference reads it: `yes` and `on` are true, `010` is eight. */
export function resolveScalar({ text, isPlain }: YamlScalar): YamlValue {
  if (!isPlain) return text;
  const word = words.get(text);
  if (word !== undefined) return word;
  return readNumber(text) ?? text;
}

/** A node for messages: `a list`, `a map`, `"text"`, `nothing`. */
export function describeNode(node: YamlNode): string {
  if (node.kind !== 'scalar') return `a ${node.kind}`;
  const value = resolveScalar(node);
  if (value === null) return 'nothing';
  const shown = node.text.length > 40 ? `${node.text.slice(0, 40)}…` : node.text;
  return typeof value === 'string' ? `the text ${JSON.stringify(shown)}` : `the ${typeof value} ${shown}`;
}
