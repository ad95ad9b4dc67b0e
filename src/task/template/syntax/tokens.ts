/** The words of the language, as the lexer of Go's `text/template/parse` tells them apart. */
export type TokenKind =
  | 'text'
  | 'left-delimiter'
  | 'right-delimiter'
  | 'space'
  | 'assign' // =
  | 'declare' // :=
  | 'pipe'
  | 'comma-or-other' // any other printable ASCII character
  | 'string'
  | 'raw-string'
  | 'character'
  | 'number'
  | 'identifier'
  | 'keyword'
  | 'boolean'
  | 'field' // .name
  | 'variable' // $name or $
  | 'dot'
  | 'left-parenthesis'
  | 'right-parenthesis'
  | 'end-of-text'
  | 'error';

/** One word of the template. `text` is its source, or for `error` the message. `at` is its offset. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
  /** For `error`: what to do about it. */
  readonly hint?: string | undefined;
}

export const keywords: ReadonlySet<string> = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
]);
