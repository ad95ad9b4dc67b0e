import { formatVersion, parseVersion, type Version } from '../text/version.ts';
import { satisfies } from '../text/version-constraint.ts';
import { GoObject, int64, type Value } from '../value.ts';
import { refuse } from '../faults.ts';
import { fn, type FunctionTable } from './define.ts';

function parse(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw refuse('Invalid Semantic Version');
  return version;
}

function toObject(version: Version): GoObject {
  const text = formatVersion(version);
  const fields: [string, Value][] = [
    ['Major', int64(version.major)],
    ['Minor', int64(version.minor)],
    ['Patch', int64(version.patch)],
    ['Prerelease', version.prerelease],
    ['Metadata', version.metadata],
    ['Original', version.original],
    ['String', text],
  ];
  return new GoObject('*semver.Version', text, new Map(fields));
}

/** Sprig's functions on semantic versions; a caret keeps the major version alone, as in the release that the reference has. */
export const versionFunctions: FunctionTable = {
  semver: fn(['string'], ([text]) => toObject(parse(text))),
  semverCompare: fn(['string', 'string'], ([constraint, text]) => {
    const version = parse(text);
    const result = satisfies(constraint, version);
    if (result === undefined) throw refuse(`improper constraint: ${constraint}`);
    return result;
  }),
};
