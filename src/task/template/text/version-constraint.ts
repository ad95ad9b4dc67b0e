import { compareVersions, parseVersion, type Version } from './version.ts';

const operand = /v?(?:\d+|[xX*])(?:\.(?:\d+|[xX*]))?(?:\.(?:\d+|[xX*]))?(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?/
  .source;
const constraint = new RegExp(`\\s*(=>|=<|>=|<=|!=|~>|=|>|<|~|\\^|)\\s*(${operand})\\s*(?:,|(?=\\s)|$)`, 'y');
const range = new RegExp(`(${operand})\\s+-\\s+(${operand})`, 'g');
const maxLength = 256;

interface Constraint {
  readonly operator: string;
  readonly version: Version;
  /** Which part is a wildcard or missing: then `=` means "of this line". */
  readonly wild: 'none' | 'major' | 'minor' | 'patch';
}

/** Whether a version satisfies a constraint such as `>=1.2 <2`, `^1.2.3`, `1.2 - 1.4`, `~1.2 || 3.x`; undefined when it is none. */
export function satisfies(text: string, version: Version): boolean | undefined {
  if (text.length > maxLength) return undefined;
  const alternatives = text.replaceAll(range, '>= $1, <= $2').split('||').map(parseAll);
  if (alternatives.some((all) => all === undefined)) return undefined;
  return alternatives.some((all) => all?.every((one) => check(version, one)));
}

function parseAll(text: string): Constraint[] | undefined {
  const found: Constraint[] = [];
  let at = 0;
  do {
    constraint.lastIndex = at;
    const match = constraint.exec(text);
    const parsed = match === null ? undefined : parseOne(match[1] ?? '', match[2] ?? '');
    if (match === null || parsed === undefined) return undefined;
    found.push(parsed);
    at += match[0].length;
  } while (at < text.trimEnd().length || text[at - 1] === ',');
  return found;
}

function parseOne(operator: string, text: string): Constraint | undefined {
  const [numbers = ''] = /^[^-+]*/.exec(text) ?? [];
  const parts = numbers.replace(/^v/, '').split('.');
  const wildAt = parts.findIndex((part) => !/^\d+$/.test(part));
  const known = wildAt < 0 ? parts : parts.slice(0, wildAt);
  const wild = (['major', 'minor', 'patch', 'none'] as const)[known.length] ?? 'none';
  const version = parseVersion(`${[...known, '0', '0', '0'].slice(0, 3).join('.')}${text.slice(numbers.length)}`);
  return version === undefined ? undefined : { operator, version, wild };
}

/** A prerelease satisfies only constraints that name a prerelease themselves. */
function check(version: Version, one: Constraint): boolean {
  const isExactInequality = one.operator === '!=' && one.wild === 'none';
  if (version.prerelease !== '' && one.version.prerelease === '' && !isExactInequality) return false;
  return checks[one.operator]?.(version, one) ?? false;
}

type Check = (version: Version, one: Constraint) => boolean;

const order = (version: Version, one: Constraint): number => compareVersions(version, one.version);
const isEqual: Check = (version, one) => (one.wild === 'none' ? order(version, one) === 0 : isTilde(version, one));
const isNotEqual: Check = (version, one) => (one.wild === 'none' ? order(version, one) !== 0 : !isOfLine(version, one));
const isAtLeast: Check = (version, one) => order(version, one) >= 0;
const isAtMost: Check = (version, one) => (one.wild === 'none' ? order(version, one) <= 0 : isAtMostLine(version, one));

const checks: Readonly<Record<string, Check>> = {
  '': isEqual,
  '=': isEqual,
  '!=': isNotEqual,
  '>': isGreater,
  '<': (version, one) => order(version, one) < 0,
  '>=': isAtLeast,
  '=>': isAtLeast,
  '<=': isAtMost,
  '=<': isAtMost,
  '^': (version, one) => order(version, one) >= 0 && version.major === one.version.major,
  '~': isTilde,
  '~>': isTilde,
};

function isOfLine(version: Version, { version: other, wild }: Constraint): boolean {
  return version.major === other.major && (wild === 'minor' || version.minor === other.minor);
}

function isGreater(version: Version, { version: other, wild }: Constraint): boolean {
  if (wild === 'none' || wild === 'major') return compareVersions(version, other) > 0;
  if (version.major !== other.major) return version.major > other.major;
  return wild === 'patch' && version.minor > other.minor;
}

function isAtMostLine(version: Version, { version: other, wild }: Constraint): boolean {
  if (version.major !== other.major) return version.major < other.major;
  return wild === 'minor' || version.minor <= other.minor;
}

/** The same line or later in it; `~0.0.0`, and a wildcard alone, take every version. */
function isTilde(version: Version, { version: other, wild }: Constraint): boolean {
  if (compareVersions(version, other) < 0) return false;
  const isZero = other.major === 0n && other.minor === 0n && other.patch === 0n;
  if (isZero && (wild === 'none' || wild === 'major')) return true;
  return version.major === other.major && (wild === 'minor' || version.minor === other.minor);
}
