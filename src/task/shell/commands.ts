import type { ShellLine, ShellToken } from './tokens.ts';
import { readShellLine } from './words.ts';

/** Operators that end a command and begin another. */
const separators = new Set(['&&', '||', '|', ';', ';;', '&', '\n', '(', ')']);

/** One simple command of a line: its words, without what is redirected. */
export interface SimpleCommand {
  readonly words: readonly ShellToken[];
  /** Offset after its last word or redirection. */
  readonly end: number;
  readonly hasRedirection: boolean;
}

interface Building {
  words: ShellToken[];
  end: number;
  hasRedirection: boolean;
}

/** The simple commands of a line in order; empty ones are left out, except a first one. */
export function splitCommands({ tokens }: ShellLine): readonly SimpleCommand[] {
  const commands: Building[] = [];
  let current: Building = { words: [], end: 0, hasRedirection: false };
  let isTarget = false;
  for (const token of tokens) {
    if (token.kind === 'word') {
      if (isTarget) current.hasRedirection = true;
      else current.words.push(token);
      isTarget = false;
      current.end = token.end;
    } else if (separators.has(token.text)) {
      commands.push(current);
      current = { words: [], end: token.end, hasRedirection: false };
      isTarget = false;
    } else {
      current.hasRedirection = true;
      isTarget = true;
    }
  }
  commands.push(current);
  return commands.filter(({ words }, index) => index === 0 || words.length > 0);
}

/** True when only a shell can do what the line says. */
export function needsShell(line: ShellLine): boolean {
  const last = line.tokens.findLastIndex(({ kind }) => kind === 'word');
  const isAfter = (index: number): boolean => index > last;
  // Newlines around the words mean nothing; in the middle they begin another command.
  return (
    line.substitutions.length > 0 ||
    line.tokens.some((token, index) => token.kind === 'operator' && !(token.text === '\n' && isAfter(index)))
  );
}

/** The variables that a line uses and that have no value, each once. */
export function unsetVariables({ variables }: ShellLine): readonly string[] {
  return [...new Set(variables.filter(({ isSet }) => !isSet).map(({ name }) => name))];
}

/** Programs that are in practically every image, and do there what they do on any other machine. */
const utilities = new Set(
  (
    '[ : awk basename break cat cd chmod comm continue cp cut date diff dirname echo env eval exit expand export expr false find fold ' +
    'grep head id join ls mkdir mv nl od paste printf pwd read return rm rmdir sed seq set sh shift sleep sort split stat tail tee test ' +
    'touch tr trap true uname uniq unset wait wc which xargs yes egrep fgrep base64 gzip gunzip tar md5sum sha256sum nproc hostname whoami'
  ).split(' '),
);

const keywords = new Set('if then else elif fi for while until do done case esac in ! { }'.split(' '));

/** The program that a simple command runs: its first word after assignments and keywords; undefined when there is none. */
function programOf({ words }: SimpleCommand): string | undefined {
  for (const { text, isQuoted } of words) {
    if (!isQuoted && (keywords.has(text) || /^[A-Za-z_]\w*=/.test(text))) {
      if (text === 'for' || text === 'case') return undefined;
      continue;
    }
    return text;
  }
  return undefined;
}

/** The programs that a line runs besides its first command, those in `$(…)` too; `undefined` inside means that it cannot be read. */
export function otherPrograms(line: ShellLine, depth = 0): readonly (string | undefined)[] {
  const [, ...later] = splitCommands(line);
  const inner = line.substitutions.flatMap(({ text }) => {
    const read = depth > 4 ? undefined : readShellLine(text, () => undefined);
    if (read?.ok !== true) return [undefined];
    const first = splitCommands(read.line).slice(0, 1).map(programOf);
    return [...first.filter((program) => program !== undefined), ...otherPrograms(read.line, depth + 1)];
  });
  return [...later.map(programOf).filter((program) => program !== undefined), ...inner];
}

/** True for a program that means the same in the container of a step as on the machine that the original used. */
export function isUtility(program: string): boolean {
  return utilities.has(program);
}
