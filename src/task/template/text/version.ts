import { compareStrings } from './bytes.ts';

/** A semantic version. */
export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
  /** What was parsed. */
  readonly original: string;
}

const suffix = /(?:-(?<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+(?<meta>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?/
  .source;
const version = new RegExp(`^v?(?<major>\\d+)(?:\\.(?<minor>\\d+))?(?:\\.(?<patch>\\d+))?${suffix}$`);
const maxLength = 256;

/** Reads a version, leniently: a leading `v`, and minor and patch may be missing. Undefined for what is none. */
export function parseVersion(text: string): Version | undefined {
  if (text.length > maxLength) return undefined;
  const groups = version.exec(text)?.groups;
  if (groups === undefined) return undefined;
  return {
    major: BigInt(groups['major'] ?? 0),
    minor: BigInt(groups['minor'] ?? 0),
    patch: BigInt(groups['patch'] ?? 0),
    prerelease: groups['pre'] ?? '',
    metadata: groups['meta'] ?? '',
    original: text,
  };
}

/** The canonical text of a version. */
export function formatVersion({ major, minor, patch, prerelease, metadata }: Version): string {
  const pre = prerelease === '' ? '' : `-${prerelease}`;
  return `${major}.${minor}.${patch}${pre}${metadata === '' ? '' : `+${metadata}`}`;
}

/** Precedence by semver.org: below 0 when `a` comes before `b`. */
export function compareVersions(a: Version, b: Version): number {
  for (const key of ['major', 'minor', 'patch'] as const) if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1;
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '' || b.prerelease === '') return a.prerelease === '' ? 1 : -1;
  return comparePrereleases(a.prerelease.split('.'), b.prerelease.split('.'));
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === right) continue;
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    return comparePart(left, right);
  }
  return 0;
}

function comparePart(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  if (!isNumberA) return compareStrings(a, b);
  return BigInt(a) < BigInt(b) ? -1 : 1;
}
