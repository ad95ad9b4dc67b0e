import type { MappedText } from '../text/mapped-text.ts';

/** Where a name after the directive was no alias. */
export interface UnknownAlias {
  readonly name: string;
  /** Offset of the directive in the text before substitution. */
  readonly at: number;
}

/** A task's text with its aliases replaced. */
export interface Substituted {
  readonly text: MappedText;
  readonly unknown: readonly UnknownAlias[];
  /** True when the text became longer than is allowed; it then ends early. */
  readonly isTooLong: boolean;
}

/** What the names mean, and how long the text may become. */
export interface Substitution {
  readonly values: ReadonlyMap<string, string>;
  readonly directive: string;
  /** UTF-16 units. */
  readonly maxLength: number;
}

/** Builds the text and keeps, for each of its lines, the line that it came from. */
interface Writer {
  write(piece: string): void;
  /** The original has gone on to its next line. */
  nextLine(): void;
  length(): number;
  finish(): MappedText;
}

function createWriter(origins: readonly number[]): Writer {
  const pieces: string[] = [];
  const written: number[] = [origins[0] ?? 1];
  let line = 0;
  let length = 0;
  return {
    length: () => length,
    write: (piece) => {
      pieces.push(piece);
      length += piece.length;
      for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', at + 1)) written.push(origins[line] ?? 1);
    },
    nextLine: () => {
      line += 1;
      written[written.length - 1] = origins[line] ?? written.at(-1) ?? 1;
    },
    finish: () => ({ text: pieces.join(''), origins: written }),
  };
}

const alphanumeric = /[a-zA-Z0-9]*/y;

/** The longest name that begins at `at`, perhaps empty. */
function readName(text: string, at: number): string {
  alphanumeric.lastIndex = at;
  return alphanumeric.exec(text)?.[0] ?? '';
}

/**
 * Replaces `directive` + name by the alias of that name (acr-tasks.md §2.4). Two directives are one literal directive. An unknown name stays
 * as it is, and a directive right after it is literal too; after a known one it begins the next alias. Replacements are not looked at again.
 * The text must end with a newline, as {@link separateAliases} leaves it.
 */
export function substituteAliases(
  { text, origins }: MappedText,
  { values, directive, maxLength }: Substitution,
): Substituted {
  const writer = createWriter(origins);
  const unknown: UnknownAlias[] = [];
  const copy = (piece: string): void => {
    for (const part of piece.split(/(?<=\n)/)) {
      writer.write(part);
      if (part.endsWith('\n')) writer.nextLine();
    }
  };
  /** Handles what stands after the directive at `at`; returns where copying goes on. */
  const expand = (at: number): number => {
    const start = at + directive.length;
    if (text.startsWith(directive, start)) {
      copy(directive);
      return start + directive.length;
    }
    const name = readName(text, start);
    const end = start + name.length;
    const value = values.get(name);
    if (value !== undefined) {
      writer.write(value);
      return end;
    }
    if (name !== '') unknown.push({ name, at });
    const literal = text.startsWith(directive, end) ? directive : '';
    copy(text.slice(at, end) + literal);
    return end + literal.length;
  };
  let from = 0;
  for (let at = text.indexOf(directive); at >= 0 && writer.length() <= maxLength; at = text.indexOf(directive, from)) {
    copy(text.slice(from, at));
    from = expand(at);
  }
  copy(text.slice(from));
  return { text: writer.finish(), unknown, isTooLong: writer.length() > maxLength };
}
