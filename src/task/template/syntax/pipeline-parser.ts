import { TemplateFault } from '../faults.ts';
import { findNearest } from '../../../domain/nearest.ts';
import { blame, unexpected, type Cursor } from './cursor.ts';
import { unquoteCharacter, unquoteString } from './literals.ts';
import { parseNumber } from './numbers.ts';
import type { Command, Field, Operand, Pipeline } from './ast.ts';
import type { Token, TokenKind } from './tokens.ts';

/** Parses a pipeline up to and with the token `end`; `context` names the place in messages. */
export function parsePipeline(cursor: Cursor, context: string, end: TokenKind): Pipeline {
  return cursor.nested(() => {
    const at = cursor.peekWord().at;
    const { variables, isAssignment } = parseVariables(cursor, context);
    const commands: Command[] = [];
    while (cursor.peekWord().kind !== end) commands.push(parseCommand(cursor, context));
    const close = cursor.nextWord();
    if (commands.length === 0) throw new TemplateFault(`missing value for ${context}`, { offset: close.at });
    checkStages(commands);
    return { kind: 'pipeline', at, variables, isAssignment, commands };
  });
}

interface Declaration {
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
}

/** `$x :=`, `$x =` and, in a range, `$i, $x :=`. */
function parseVariables(cursor: Cursor, context: string): Declaration {
  const variables: string[] = [];
  for (;;) {
    const place = cursor.place;
    const variable = cursor.peekWord();
    if (variable.kind !== 'variable') return { variables, isAssignment: false };
    cursor.next();
    const next = cursor.peekWord();
    if (next.kind === 'assign' || next.kind === 'declare') {
      cursor.next();
      const isAssignment = next.kind === 'assign';
      variables.push(variable.text);
      for (const name of variables) cursor.variables.push(name, true);
      return { variables, isAssignment };
    }
    if (next.text !== ',') {
      cursor.place = place;
      return { variables, isAssignment: false };
    }
    cursor.next();
    variables.push(variable.text);
    checkSecondVariable(cursor, context, variables);
  }
}

function checkSecondVariable(cursor: Cursor, context: string, variables: readonly string[]): void {
  const offset = cursor.peekWord().at;
  if (context !== 'range' || variables.length > 1) {
    throw new TemplateFault(`too many declarations in ${context}`, { offset });
  }
  if (cursor.peekWord().kind !== 'variable') {
    throw new TemplateFault('range can only initialize variables', { offset });
  }
}

function checkStages(commands: readonly Command[]): void {
  commands.slice(1).forEach(({ args: [first] }, index) => {
    if (['boolean', 'dot', 'nil', 'number', 'string'].includes(first.kind)) {
      throw new TemplateFault(`non executable command in pipeline stage ${index + 2}`, { offset: first.at });
    }
  });
}

function parseCommand(cursor: Cursor, context: string): Command {
  const at = cursor.peekWord().at;
  const args: Operand[] = [];
  for (;;) {
    const operand = parseOperand(cursor);
    if (operand !== undefined) args.push(operand);
    const token = cursor.peek();
    if (token.kind === 'space') {
      cursor.next();
      continue;
    }
    if (token.kind === 'pipe') cursor.next();
    else if (token.kind !== 'right-delimiter' && token.kind !== 'right-parenthesis') {
      throw unexpected(token, args.length === 0 ? context : 'operand');
    }
    break;
  }
  const [first, ...rest] = args;
  if (first === undefined) throw new TemplateFault('empty command', { offset: at });
  return { at, args: [first, ...rest] };
}

function parseOperand(cursor: Cursor): Operand | undefined {
  const term = parseTerm(cursor);
  if (term === undefined) return undefined;
  const path: Field[] = [];
  while (cursor.peek().kind === 'field') {
    const token = cursor.next();
    path.push({ name: token.text.slice(1), at: token.at });
  }
  return path.length === 0 ? term : withPath(term, path);
}

function withPath(term: Operand, path: readonly Field[]): Operand {
  switch (term.kind) {
    case 'field':
    case 'variable':
      return { ...term, path: [...term.path, ...path] };
    case 'identifier':
    case 'chain':
    case 'pipeline':
      return { kind: 'chain', at: path[0]?.at ?? term.at, of: term, path };
    default:
      throw new TemplateFault('unexpected . after term', { offset: term.at });
  }
}

function parseTerm(cursor: Cursor): Operand | undefined {
  const token = cursor.peekWord();
  const { at, text } = token;
  switch (token.kind) {
    case 'left-parenthesis':
      cursor.next();
      return parsePipeline(cursor, 'parenthesized pipeline', 'right-parenthesis');
    case 'variable':
      cursor.next();
      checkVariable(cursor, token);
      return { kind: 'variable', at, name: text, path: [] };
    case 'field':
      cursor.next();
      return { kind: 'field', at, path: [{ name: text.slice(1), at }] };
    case 'identifier':
      cursor.next();
      checkFunction(cursor, token);
      return { kind: 'identifier', at, name: text };
    default:
      return parseLiteral(cursor, token);
  }
}

function parseLiteral(cursor: Cursor, token: Token): Operand | undefined {
  const operand = blame(token, () => readLiteral(token));
  if (operand !== undefined) cursor.next();
  return operand;
}

function readLiteral({ kind, at, text }: Token): Operand | undefined {
  switch (kind) {
    case 'dot':
      return { kind: 'dot', at };
    case 'boolean':
      return { kind: 'boolean', at, value: text === 'true' };
    case 'number':
      return { kind: 'number', at, literal: parseNumber(text) };
    case 'character': {
      const code = unquoteCharacter(text);
      return { kind: 'number', at, literal: { text, int: BigInt(code), float: code, isFloat: false } };
    }
    case 'string':
    case 'raw-string':
      return { kind: 'string', at, value: unquoteString(text), source: text };
    case 'keyword':
      return text === 'nil' ? { kind: 'nil', at } : undefined;
    default:
      return undefined;
  }
}

function checkVariable(cursor: Cursor, { text, at }: Token): void {
  if (cursor.variables.has(text)) return;
  const others = [...cursor.variables.names()].filter((name) => name !== '$');
  const near = findNearest(text, others);
  const hint = near === undefined ? 'Declare it first: {{$name := value}}.' : `Did you mean ${near}?`;
  throw new TemplateFault(`undefined variable "${text}"`, { offset: at, hint });
}

function checkFunction(cursor: Cursor, { text, at }: Token): void {
  if (cursor.hasFunction(text)) return;
  throw new TemplateFault(`function "${text}" not defined`, { offset: at, hint: cursor.hintForFunction(text) });
}
