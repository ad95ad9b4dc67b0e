import { Composer, Lexer, Parser, type Document, type ParsedNode } from 'yaml';
import type { Report } from '../diagnostic.ts';
import type { Limits } from '../limits.ts';
import { buildTree } from './build-tree.ts';
import type { YamlNode } from './tree.ts';

/** Faults of the YAML library that the reference's reader does not see. */
const tolerated =
  /^(?:Comments must be separated|Unresolved tag|Missing space after|Document contains trailing content)/;

const hints: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'YAML is indented with spaces',
  BAD_INDENT: 'line this up with the entries around it',
  MULTILINE_IMPLICIT_KEY:
    'a value that goes on over several lines is indented deeper than its key, or put into a block with > or |',
  BLOCK_AS_IMPLICIT_KEY: 'put quotes around a value that has ": " in it',
  UNEXPECTED_TOKEN:
    'put quotes around a value that begins with a character that YAML has a use for: @ ` % & * ! | > { [',
  MISSING_CHAR: 'a quote or bracket is open here, or a space is missing after ":" or "-"',
  BAD_DQ_ESCAPE: 'use single quotes when the text has backslashes',
};

interface Tokens {
  readonly document: ParsedDocument | undefined;
  /** Where reading stopped, and which limit was reached there. */
  readonly stopped?: { readonly at: number; readonly message: string };
}

type ParsedDocument = Document.Parsed<ParsedNode, false>;

/** Pieces of the lexer that stand for no character of the text: a document, a scalar or flow collection begins, a flow collection broke off. */
const marks = new Set(['\u0002', '\u0018', '\u001f']);

/** The pieces of a text, or where it has too many: that is known for a small part of what putting them together takes. */
function lexText(text: string, limit: number): { readonly lexemes: readonly string[]; readonly stoppedAt?: number } {
  const lexemes: string[] = [];
  let at = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexemes.push(lexeme) > limit) return { lexemes, stoppedAt: at };
    if (!marks.has(lexeme)) at += lexeme.length;
  }
  return { lexemes };
}

/** Feeds the first document's tokens to the composer, and stops where collections are nested too deeply. */
function composeFirst(text: string, limits: Limits): Tokens {
  const parser = new Parser();
  const composer = new Composer<ParsedNode, false>({
    schema: 'failsafe',
    uniqueKeys: false,
    prettyErrors: false,
    strict: false,
  });
  const take = (tokens: Iterable<Parameters<typeof composer.next>[0]>): boolean => {
    for (const token of tokens) {
      for (const _document of composer.next(token)) return true;
      if (token.type === 'document') return true;
    }
    return false;
  };
  const finish = (): Tokens => {
    for (const document of composer.end(true, text.length)) return { document };
    return { document: undefined };
  };
  const stop = (message: string): Tokens => ({ document: undefined, stopped: { at: parser.offset, message } });
  const { lexemes, stoppedAt } = lexText(text, limits.tokens);
  if (stoppedAt !== undefined) {
    const message = `the file has more than ${limits.tokens} pieces of YAML`;
    return { document: undefined, stopped: { at: stoppedAt, message } };
  }
  for (const lexeme of lexemes) {
    if (take(parser.next(lexeme))) return finish();
    // The document, a scalar and a place for a value not seen yet stand on the stack beside the collections.
    if (parser.stack.length > limits.depth + 3) return stop(`lists and maps are nested more than ${limits.depth} deep`);
  }
  take(parser.end());
  return finish();
}

/**
 * Reads the first document of a YAML text the way the reference does: anchors and merge keys work, of equal keys the last one counts, what
 * follows the first document is not looked at.
 * @returns the root; undefined when the text is empty or cannot be read, which `report` then says.
 */
export function parseYaml(text: string, limits: Limits, report: Report): YamlNode | undefined {
  const { document, stopped } = composeFirst(text, limits);
  if (stopped !== undefined) report.error(Math.min(stopped.at, text.length), 'limit', stopped.message);
  if (document === undefined) return undefined;
  for (const { pos, code, message } of document.errors) {
    if (tolerated.test(message)) continue;
    report.error(pos[0], 'yaml', tidy(message), hints[code]);
  }
  if (report.hasErrors()) return undefined;
  return buildTree(document.contents, limits, report);
}

function tidy(message: string): string {
  const [first = message] = message.split('\n');
  return `this is no valid YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}`;
}
