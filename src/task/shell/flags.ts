import { findNearest } from '../../domain/nearest.ts';
import type { ShellToken } from './tokens.ts';

/** A flag as it was found on a command line. */
export interface GivenFlag<F> {
  readonly flag: F;
  /** As it was written: `--tag`, `-t`. */
  readonly written: string;
  /** The value; undefined for a switch that is on. */
  readonly value?: string;
  readonly at: number;
}

/** What a command line's words are. */
export interface FlagLine<F> {
  readonly given: readonly GivenFlag<F>[];
  /** Words that are no flags; with `stopAtFirst` the first one and all after it. */
  readonly rest: readonly ShellToken[];
  readonly unknown: readonly { readonly written: string; readonly at: number }[];
  /** A flag at the end of the line that takes a value. */
  readonly withoutValue?: { readonly written: string; readonly at: number };
}

interface Shape {
  readonly takesValue: boolean;
}

interface Options<F extends Shape> {
  readonly find: (written: string) => F | undefined;
  /** All flags' names, to guess by the nearest whether an unknown one takes a value. */
  readonly names: readonly string[];
  /** True when the first word that is no flag ends the flags, as in `docker run`; false when flags may follow it, as in `docker build`. */
  readonly stopAtFirst: boolean;
}

interface Reading<F extends Shape> extends Options<F> {
  readonly words: readonly ShellToken[];
  index: number;
  readonly given: GivenFlag<F>[];
  readonly unknown: { readonly written: string; readonly at: number }[];
  withoutValue?: { readonly written: string; readonly at: number };
}

/** The value of a flag: what follows `=`, or the next word. */
function takeValue<F extends Shape>(
  reading: Reading<F>,
  written: string,
  inline: string | undefined,
): string | undefined {
  if (inline !== undefined) return inline;
  const token = reading.words[reading.index];
  const next = reading.words[reading.index + 1];
  if (next === undefined) {
    reading.withoutValue ??= { written, at: token?.start ?? 0 };
    return undefined;
  }
  reading.index += 1;
  return next.text;
}

function isOff(value: string | undefined): boolean {
  return value !== undefined && ['false', 'f', '0', 'no'].includes(value.toLowerCase());
}

function addFlag<F extends Shape>(
  reading: Reading<F>,
  written: string,
  inline: string | undefined,
  at: number,
): boolean {
  const flag = reading.find(written);
  if (flag === undefined) {
    reading.unknown.push({ written, at });
    const nearest = reading.unknown.length > 20 ? undefined : findNearest(written, reading.names);
    if (nearest !== undefined && reading.find(nearest)?.takesValue === true) takeValue(reading, written, inline);
    return false;
  }
  if (!flag.takesValue) {
    if (!isOff(inline)) reading.given.push({ flag, written, at });
    return true;
  }
  const value = takeValue(reading, written, inline);
  if (value !== undefined) reading.given.push({ flag, written, value, at });
  return true;
}

function readLong<F extends Shape>(reading: Reading<F>, token: ShellToken): void {
  const equals = token.text.indexOf('=');
  const written = equals < 0 ? token.text : token.text.slice(0, equals);
  addFlag(reading, written, equals < 0 ? undefined : token.text.slice(equals + 1), token.start);
}

/** `-it`, `-p8080:80`, `-p=8080:80`: letters one after the other, until one takes what follows as its value. */
function readShort<F extends Shape>(reading: Reading<F>, token: ShellToken): void {
  const { text, start } = token;
  for (let index = 1; index < text.length; index++) {
    const written = `-${text[index] ?? ''}`;
    const tail = text.slice(index + 1);
    const takesValue = reading.find(written)?.takesValue === true;
    const inline = tail === '' || !(takesValue || tail.startsWith('=')) ? undefined : tail.replace(/^=/, '');
    if (!addFlag(reading, written, inline, start) || inline !== undefined) return;
    if (takesValue) return;
  }
}

/** Sorts the words of a command line into flags and others, by the rules of the `docker` client. */
export function readFlags<F extends Shape>(words: readonly ShellToken[], options: Options<F>): FlagLine<F> {
  const reading: Reading<F> = { ...options, words, index: 0, given: [], unknown: [] };
  const rest: ShellToken[] = [];
  for (; reading.index < words.length; reading.index++) {
    const token = words[reading.index];
    if (token === undefined) break;
    if (token.text === '--') {
      rest.push(...words.slice(reading.index + 1));
      break;
    }
    if (token.text.startsWith('--')) readLong(reading, token);
    else if (token.text.startsWith('-') && token.text.length > 1) readShort(reading, token);
    else {
      rest.push(token);
      if (!options.stopAtFirst) continue;
      rest.push(...words.slice(reading.index + 1));
      break;
    }
  }
  const { given, unknown, withoutValue } = reading;
  return { given, rest, unknown, ...(withoutValue && { withoutValue }) };
}
