import type { Instruction } from '../dockerfile/instructions.ts';
import { flagValue } from '../dockerfile/words.ts';
import { refuse } from './refusal.ts';

/** A list of texts in JSON, as many instructions take their words; undefined when it is none. */
export function readList(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** The words between spaces, quotes and all. */
export function splitSpaces(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

const knownFlags = /^--(?:from|chown|chmod|link)(?:=|$)/;
const isNumbers = /^[0-9]+(?::[0-9]+)?$/;

function checkFlags({ flags, line, keyword }: Instruction): void {
  const at = `line ${line} of the Dockerfile`;
  const other = flags.find((flag) => !knownFlags.test(flag));
  if (other !== undefined) refuse(`${at} has the flag ${other.slice(0, 60)}`);
  const owner = flagValue(flags, 'chown');
  if (owner !== undefined && !isNumbers.test(owner)) {
    refuse(`${at} gives files to ${owner.slice(0, 60)}: names of users are the base's, numbers are not`);
  }
  const mode = flagValue(flags, 'chmod');
  if (mode !== undefined && !/^[0-7]{3,4}$/.test(mode)) refuse(`${at} has a mode that is no number`);
  if (keyword === 'add' && flagValue(flags, 'from') !== undefined) refuse(`${at} makes no sense`);
}

function isAddress(source: string): boolean {
  return /^(?:https?|ftp|git|ssh):\/\//i.test(source) || /^[\w.-]+@[\w.-]+:/.test(source);
}

/**
 * The sources and the destination of a `COPY` or `ADD`, as written.
 * @throws Refusal where it takes more than files of the context or of a stage, or gives them to somebody by name.
 */
export function checkCopy(one: Instruction): readonly string[] {
  const { keyword, line, rest } = one;
  checkFlags(one);
  const words = readList(rest) ?? splitSpaces(rest);
  if (words.length < 2) refuse(`line ${line} of the Dockerfile makes no sense`);
  if (words.some((word) => word.startsWith('<<'))) refuse(`line ${line} of the Dockerfile holds the file itself`);
  const address = keyword === 'add' ? words.slice(0, -1).find(isAddress) : undefined;
  if (address !== undefined) refuse(`line ${line} of the Dockerfile fetches from an address`);
  return words;
}
