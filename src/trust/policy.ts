import { isRepositoryName } from '../domain/image-reference.ts';
import { fail } from '../domain/failure.ts';
import type { TrustPolicy } from '../domain/registry-trust.ts';
import { readCertificates, type Certificate } from './certificate.ts';
import { isObject, type Json } from './json.ts';
import { readPublicKey, type TrustedKey } from './keys.ts';

export type { TrustPolicy } from '../domain/registry-trust.ts';

/** What a policy trusts, made ready. */
export interface Trusted {
  readonly keys: readonly TrustedKey[];
  readonly anchors: readonly Certificate[];
}

const names = ['name', 'repositories', 'keys', 'certificates', 'mode', 'minSignatures', 'certificateValidity'];
const [maxEntries, maxPem] = [64, 64 * 1024];

type Fault = { readonly field: string; readonly message: string };

/**
 * Reads a policy from JSON.
 * @throws `invalid-request` naming the first field that is wrong; `details` has them all.
 */
export function parseTrustPolicy(value: unknown): TrustPolicy {
  if (!isObject(value)) throw fail('invalid-request', 'a trust policy is a JSON object');
  const faults = judgePolicy(value);
  const [first] = faults;
  if (first !== undefined) throw fail('invalid-request', first.message, { field: first.field, details: faults });
  return {
    name: String(value['name']),
    repositories: strings(value['repositories']),
    keys: strings(value['keys']),
    certificates: strings(value['certificates']),
    mode: value['mode'] === 'warn' ? 'warn' : 'enforce',
    minSignatures: Number(value['minSignatures'] ?? 1),
    certificateValidity: value['certificateValidity'] === 'signing-time' ? 'signing-time' : 'now',
  };
}

/** The keys and certificates of a policy. What {@link parseTrustPolicy} accepted can always be read. */
export function readTrusted(policy: TrustPolicy): Trusted {
  const keys = policy.keys.map(readPublicKey).filter((key) => typeof key !== 'string');
  const anchors = policy.certificates.map(readCertificates).filter((list) => typeof list !== 'string');
  return { keys, anchors: anchors.flat() };
}

/** The policies that have a word in a repository. All of them must be content. */
export function findPolicies(policies: readonly TrustPolicy[], repository: string): readonly TrustPolicy[] {
  return policies.filter((policy) => policy.repositories.some((pattern) => matchesRepository(pattern, repository)));
}

function matchesRepository(pattern: string, repository: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('/*') ? repository.startsWith(pattern.slice(0, -1)) : pattern === repository;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function judgePolicy(value: Json): Fault[] {
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  return [
    ...unknown.map((name) =>
      fault(name.slice(0, 80), `a trust policy has no field of this name; it has ${names.join(', ')}`),
    ),
    ...(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(nameOf(value))
      ? []
      : [fault('name', 'a name is 1 to 64 letters, digits, "-", "_" or "."')]),
    ...judgeList(value, 'repositories', judgePattern),
    ...(value['repositories'] === undefined ? [fault('repositories', 'name at least one repository, or "*"')] : []),
    ...judgeList(value, 'keys', judgeKey),
    ...judgeList(value, 'certificates', judgeCertificate),
    ...judgeChoice(value, 'mode', ['enforce', 'warn']),
    ...judgeChoice(value, 'certificateValidity', ['now', 'signing-time']),
    ...judgeCount(value),
  ];
}

function nameOf(value: Json): string {
  return typeof value['name'] === 'string' ? value['name'] : '';
}

function fault(field: string, message: string): Fault {
  return { field, message: `${field}: ${message}` };
}

function judgeList(value: Json, field: string, judge: (text: string) => string | undefined): Fault[] {
  const list: unknown = value[field];
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length > maxEntries)
    return [fault(field, `give a list of at most ${String(maxEntries)}`)];
  if (field === 'repositories' && list.length === 0) return [fault(field, 'name at least one repository, or "*"')];
  return list.flatMap((each: unknown, index) => {
    const wrong = typeof each === 'string' && each.length <= maxPem ? judge(each) : 'give a text of at most 64 KiB';
    return wrong === undefined ? [] : [fault(`${field}[${String(index)}]`, wrong)];
  });
}

function judgePattern(pattern: string): string | undefined {
  const name = pattern.endsWith('/*') ? pattern.slice(0, -2) : pattern;
  if (pattern === '*' || isRepositoryName(name)) return undefined;
  return 'a repository is named as `team/app`, `team/*` or `*`';
}

function judgeKey(pem: string): string | undefined {
  const key = readPublicKey(pem);
  return typeof key === 'string' ? key : undefined;
}

function judgeCertificate(pem: string): string | undefined {
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(pem))
    return 'there is a private key in it; only certificates belong here';
  const certificates = readCertificates(pem);
  return typeof certificates === 'string' ? certificates : undefined;
}

function judgeChoice(value: Json, field: string, choices: readonly string[]): Fault[] {
  const given = value[field] ?? choices[0];
  return choices.some((choice) => choice === given) ? [] : [fault(field, `choose one of ${choices.join(', ')}`)];
}

function judgeCount(value: Json): Fault[] {
  const count = value['minSignatures'] ?? 1;
  const [keys, certificates] = [strings(value['keys']).length, strings(value['certificates']).length];
  if (keys + certificates === 0)
    return [fault('keys', 'give at least one key or certificate; nobody could sign otherwise')];
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1 || count > maxEntries)
    return [fault('minSignatures', `give a whole number from 1 to ${String(maxEntries)}`)];
  if (certificates === 0 && count > keys)
    return [fault('minSignatures', `${String(count)} signers are demanded, but only ${String(keys)} keys given`)];
  return [];
}
