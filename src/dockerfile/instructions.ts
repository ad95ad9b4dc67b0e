import { readDirectives, type Directives } from './directives.ts';
import { splitWords, takeFlags, unquote } from './words.ts';

/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  /** In lower case: `from`. */
  readonly keyword: string;
  /** `--platform=linux/amd64`, without quotes. */
  readonly flags: readonly string[];
  /** What follows the flags, as written. */
  readonly rest: string;
  /** Its first line, from 1. */
  readonly line: number;
}

/** A file, read as far as it can be. */
export interface DockerfileText extends Directives {
  readonly instructions: readonly Instruction[];
  /** Set when the file ends inside a heredoc: the line that begins it. */
  readonly openHeredoc?: number;
}

/** `ONBUILD` keeps another instruction, which is read like any other. */
export function parseInstruction(text: string, line: number): Instruction {
  const trimmed = text.trim();
  const end = trimmed.search(/\s/);
  const keyword = (end < 0 ? trimmed : trimmed.slice(0, end)).toLowerCase();
  return { keyword, ...takeFlags(end < 0 ? '' : trimmed.slice(end)), line };
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

/** Takes the continuation character off a line; undefined when it has none. A doubled one is a character of its own. */
function takeContinuation(line: string, escape: string): string | undefined {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end -= 1;
  if (line[end - 1] !== escape || line[end - 2] === escape) return undefined;
  return line.slice(0, end - 1);
}

interface Heredoc {
  readonly name: string;
  /** `<<-`: tabs in front of its end do not count. */
  readonly ignoresTabs: boolean;
}

function parseHeredoc(word: string): readonly Heredoc[] {
  const [, dash, rest = ''] = /^[0-9]*<<(-?)([^<]+)$/s.exec(word) ?? [];
  const name = unquote(rest);
  return name === '' ? [] : [{ name, ignoresTabs: dash === '-' }];
}

const takesHeredocs = new Set(['add', 'copy', 'run']);

function isJson(text: string): boolean {
  if (!text.startsWith('[')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The heredocs that an instruction begins; their bodies stand in the lines below it. */
function heredocsOf({ keyword, rest, line }: Instruction): readonly Heredoc[] {
  if (keyword === 'onbuild') return heredocsOf({ ...parseInstruction(rest, line), line });
  if (!takesHeredocs.has(keyword) || !rest.includes('<<') || isJson(rest)) return [];
  const { words, isClosed } = splitWords(rest, '\\');
  return isClosed ? words.flatMap(parseHeredoc) : [];
}

/** Goes through a file line by line. */
class Reader {
  readonly instructions: Instruction[] = [];
  openHeredoc: number | undefined;
  private readonly lines: readonly string[];
  private readonly escape: string;
  private at = 0;

  constructor(lines: readonly string[], escape: string) {
    this.lines = lines;
    this.escape = escape;
  }

  readAll(): void {
    while (this.at < this.lines.length) {
      const line = this.at + 1;
      const text = this.readLogicalLine();
      if (text.trim() === '') continue;
      const instruction = parseInstruction(text, line);
      this.instructions.push(instruction);
      for (const heredoc of heredocsOf(instruction)) this.skipHeredoc(heredoc, line);
    }
  }

  private next(): string | undefined {
    const line = this.lines[this.at];
    this.at += 1;
    return line?.replace(/\r+$/, '');
  }

  /** One line with those that continue it; comments and empty lines between them do not end it. */
  private readLogicalLine(): string {
    const first = this.next() ?? '';
    if (isComment(first)) return '';
    const parts: string[] = [];
    let line: string | undefined = first.trimStart();
    while (line !== undefined) {
      const isPart = parts.length === 0 || (!isComment(line) && line.trim() !== '');
      if (isPart) {
        const continued = takeContinuation(line, this.escape);
        parts.push(continued ?? line);
        if (continued === undefined) break;
      }
      line = this.next();
    }
    return parts.join('');
  }

  private skipHeredoc({ name, ignoresTabs }: Heredoc, begin: number): void {
    for (let line = this.next(); line !== undefined; line = this.next()) {
      if ((ignoresTabs ? line.replace(/^\t+/, '') : line) === name) return;
    }
    this.openHeredoc ??= begin;
  }
}

/** Reads a Dockerfile into its instructions, as BuildKit's parser does. Never throws: what is no instruction has an unknown keyword. */
export function readInstructions(text: string): DockerfileText {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const directives = readDirectives(lines);
  const reader = new Reader(lines, directives.escape);
  reader.readAll();
  const { instructions, openHeredoc } = reader;
  return { ...directives, instructions, ...(openHeredoc !== undefined && { openHeredoc }) };
}
