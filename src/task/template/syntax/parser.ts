import { TemplateFault } from '../faults.ts';
import { blame, Cursor, rootScope, unexpected } from './cursor.ts';
import { tokenize } from './lexer.ts';
import { unquoteString } from './literals.ts';
import { parsePipeline } from './pipeline-parser.ts';
import type { ParsedTemplate, Pipeline, TemplateNode } from './ast.ts';
import type { Token } from './tokens.ts';

type Nodes = readonly TemplateNode[];

/** What the parser needs to know from outside. */
export interface ParseOptions {
  readonly maxDepth: number;
  /** Names of the functions that exist. */
  readonly functions: ReadonlySet<string>;
}

/**
 * Parses the text of a template.
 * @throws TemplateFault with the offset of the first fault.
 */
export function parseTemplate(text: string, options: ParseOptions): ParsedTemplate {
  return new Parser(new Cursor(tokenize(text), options.maxDepth, options.functions)).parse();
}

type ListEnd = { readonly kind: 'end' | 'else' | 'else-if'; readonly at: number } | { readonly kind: 'text-end' };

class Parser {
  readonly #cursor: Cursor;
  readonly #defined = new Map<string, Nodes>();

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  parse(): ParsedTemplate {
    const root: TemplateNode[] = [];
    const end = this.#list(root, true);
    if (end.kind !== 'text-end') {
      throw new TemplateFault(`unexpected {{${end.kind === 'end' ? 'end' : 'else'}}}`, { offset: end.at });
    }
    return { root, defined: this.#defined };
  }

  /** Reads nodes into `nodes` until `{{end}}` or `{{else`; only the top level may end with the text. */
  #list(nodes: TemplateNode[], isTop = false): ListEnd {
    for (;;) {
      const token = this.#cursor.nextWord();
      if (token.kind === 'end-of-text' && isTop) return { kind: 'text-end' };
      if (token.kind === 'text') nodes.push({ kind: 'text', at: token.at, text: token.text });
      else if (token.kind === 'left-delimiter') {
        const end = this.#action(nodes, isTop);
        if (end !== undefined) return end;
      } else throw unexpected(token, 'input');
    }
  }

  #action(nodes: TemplateNode[], isTop: boolean): ListEnd | undefined {
    const token = this.#cursor.peekWord();
    if (token.kind !== 'keyword' || token.text === 'nil') {
      const pipeline = parsePipeline(this.#cursor, 'command', 'right-delimiter');
      nodes.push({ kind: 'action', at: token.at, pipeline });
      return undefined;
    }
    this.#cursor.next();
    if (token.text === 'end') {
      this.#close('end');
      return { kind: 'end', at: token.at };
    }
    if (token.text === 'else') return this.#else(token);
    if (token.text === 'define' && isTop) this.#define();
    else nodes.push(this.#control(token));
    return undefined;
  }

  #else(token: Token): ListEnd {
    if (this.#cursor.isKeyword('if')) return { kind: 'else-if', at: token.at };
    this.#close('else');
    return { kind: 'else', at: token.at };
  }

  #control(token: Token): TemplateNode {
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(token.text, token.at);
      case 'break':
      case 'continue':
        return this.#jump(token.text, token.at);
      case 'template':
        return this.#template(token.at);
      case 'block':
        return this.#block(token.at);
      default:
        throw unexpected(token, 'command');
    }
  }

  #branch(kind: 'if' | 'with' | 'range', at: number): TemplateNode {
    return this.#cursor.nested(() => {
      const scope = this.#cursor.variables.size;
      const pipeline = parsePipeline(this.#cursor, kind, 'right-delimiter');
      const body: TemplateNode[] = [];
      if (kind === 'range') this.#cursor.rangeDepth++;
      const end = this.#list(body);
      if (kind === 'range') this.#cursor.rangeDepth--;
      const otherwise = this.#otherwise(kind, end);
      this.#cursor.variables.shrink(scope);
      return { kind, at, pipeline, body, otherwise };
    });
  }

  #otherwise(kind: 'if' | 'with' | 'range', end: ListEnd): Nodes | undefined {
    if (end.kind === 'end' || end.kind === 'text-end') return undefined;
    if (end.kind === 'else-if') {
      const token = this.#cursor.nextWord();
      if (kind !== 'if') throw unexpected(token, 'else');
      return [this.#branch('if', token.at)];
    }
    const nodes: TemplateNode[] = [];
    const last = this.#list(nodes);
    if (last.kind !== 'end') {
      throw new TemplateFault('expected end; found {{else}}', { offset: 'at' in last ? last.at : end.at });
    }
    return nodes;
  }

  #jump(kind: 'break' | 'continue', at: number): TemplateNode {
    this.#close(`{{${kind}}}`);
    if (this.#cursor.rangeDepth === 0) throw new TemplateFault(`{{${kind}}} outside {{range}}`, { offset: at });
    return { kind, at };
  }

  #template(at: number): TemplateNode {
    const name = this.#name('template clause');
    if (this.#cursor.peekWord().kind === 'right-delimiter') {
      this.#cursor.next();
      return { kind: 'template', at, name, pipeline: undefined };
    }
    return { kind: 'template', at, name, pipeline: parsePipeline(this.#cursor, 'template clause', 'right-delimiter') };
  }

  #block(at: number): TemplateNode {
    const name = this.#name('block clause');
    const pipeline: Pipeline = parsePipeline(this.#cursor, 'block clause', 'right-delimiter');
    this.#definition(name, 'block clause');
    return { kind: 'template', at, name, pipeline };
  }

  #define(): void {
    const name = this.#name('define clause');
    this.#close('define clause');
    this.#definition(name, 'define clause');
  }

  /** A defined template sees no variable from outside, and no range to break out of. */
  #definition(name: string, context: string): void {
    const { variables, rangeDepth } = this.#cursor;
    this.#cursor.variables = rootScope();
    this.#cursor.rangeDepth = 0;
    const nodes: TemplateNode[] = [];
    const end = this.#cursor.nested(() => this.#list(nodes));
    if (end.kind !== 'end') {
      throw new TemplateFault(`unexpected {{else}} in ${context}`, { offset: 'at' in end ? end.at : 0 });
    }
    this.#cursor.variables = variables;
    this.#cursor.rangeDepth = rangeDepth;
    this.#add(name, nodes);
  }

  /** A later definition may replace one that shows nothing; two that show something are a fault. */
  #add(name: string, nodes: Nodes): void {
    const known = this.#defined.get(name);
    if (known === undefined || isEmpty(known)) this.#defined.set(name, nodes);
    else if (!isEmpty(nodes)) {
      throw new TemplateFault(`multiple definition of template "${name}"`, { offset: this.#cursor.peek().at });
    }
  }

  #name(context: string): string {
    const token = this.#cursor.nextWord();
    if (token.kind !== 'string' && token.kind !== 'raw-string') throw unexpected(token, context);
    return blame(token, () => unquoteString(token.text));
  }

  #close(context: string): void {
    this.#cursor.expect('right-delimiter', context);
  }
}

function isEmpty(nodes: Nodes): boolean {
  return nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
}
