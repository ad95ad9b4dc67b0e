import type { WriteOncePolicy, WriteOnceRule } from '../../domain/registry-care.ts';
import { matchesPattern } from '../access/pattern.ts';
import { subjectOfTag } from './attachments.ts';
import { readPolicy, type Documents } from './records.ts';

/*
 * Write-once tags (registry.md §1.8): what such a tag stands for once, it stands for until the rule is changed. Tags that say by their name
 * what they are about are none: signatures and fallback indexes are pushed again under the same tag.
 */

/** What takes tags out of a rule again. */
const without = '!';
const form = /^!?[\w.*-]{1,128}$/;

/** True for `v*`, `*-rc`, `1.2`, and these with `!` before them. */
export function isTagPattern(text: string): boolean {
  return form.test(text);
}

/** True for a pattern that takes tags out. */
export function isExclusion(pattern: string): boolean {
  return pattern.startsWith(without);
}

/** Whether a tag is what a pattern says: `*` stands for any characters, also none. Takes time by the lengths of both alone. */
export function matchesTagPattern(pattern: string, tag: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return tag === first;
  if (!tag.startsWith(first) || tag.length < first.length + last.length || !tag.endsWith(last)) return false;
  const end = tag.length - last.length;
  let at = first.length;
  for (const part of parts) {
    const found = tag.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

function covers({ tags }: WriteOnceRule, tag: string): boolean {
  const isNamed = tags.some((one) => !isExclusion(one) && matchesTagPattern(one, tag));
  return isNamed && !tags.some((one) => isExclusion(one) && matchesTagPattern(one.slice(without.length), tag));
}

/** The first rule by which a tag of a repository is write-once; undefined: it can be moved. */
export function findWriteOnceRule(
  documents: Documents,
  { repository, tag }: { readonly repository: string; readonly tag: string },
): WriteOnceRule | undefined {
  const { rules }: WriteOncePolicy = readPolicy(documents, 'writeOncePolicy');
  if (rules.length === 0 || subjectOfTag(tag) !== undefined) return undefined;
  return rules.find((rule) => matchesPattern(rule.repositories, repository) && covers(rule, tag));
}

/** A rule as the command line has it: `team/*:v*,!*-rc`. */
export function describeWriteOnceRule({ repositories, tags }: WriteOnceRule): string {
  return `${repositories}:${tags.join(',')}`;
}
