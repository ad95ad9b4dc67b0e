import type { NumberLiteral } from './numbers.ts';

interface Positioned {
  /** Offset in the template, in UTF-16 code units. */
  readonly at: number;
}

export type Operand =
  | (Positioned & { readonly kind: 'dot' | 'nil' })
  | (Positioned & { readonly kind: 'boolean'; readonly value: boolean })
  | (Positioned & { readonly kind: 'number'; readonly literal: NumberLiteral })
  | (Positioned & { readonly kind: 'string'; readonly value: string; readonly source: string })
  | (Positioned & { readonly kind: 'identifier'; readonly name: string })
  /** `.a.b`: fields of the dot. */
  | (Positioned & { readonly kind: 'field'; readonly path: readonly Field[] })
  /** `$x.a.b`: a variable, and fields of it. */
  | (Positioned & { readonly kind: 'variable'; readonly name: string; readonly path: readonly Field[] })
  /** `(…).a.b` or `f.a`: fields of a value that was computed. */
  | (Positioned & { readonly kind: 'chain'; readonly of: Operand; readonly path: readonly Field[] })
  | Pipeline;

export interface Field extends Positioned {
  readonly name: string;
}

/** One stage of a pipeline: a function or value, and its arguments. */
export interface Command extends Positioned {
  readonly args: readonly [Operand, ...Operand[]];
}

export interface Pipeline extends Positioned {
  readonly kind: 'pipeline';
  /** Variables that get the value: declared with :=, or set with =. */
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

export type TemplateNode =
  | (Positioned & { readonly kind: 'text'; readonly text: string })
  | (Positioned & { readonly kind: 'action'; readonly pipeline: Pipeline })
  | (Positioned & { readonly kind: 'break' | 'continue' })
  | (Positioned & {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[] | undefined;
    })
  | (Positioned & { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | undefined });

/** A parsed text: what it shows itself, and the templates that it defines by name. */
export interface ParsedTemplate {
  readonly root: readonly TemplateNode[];
  readonly defined: ReadonlyMap<string, readonly TemplateNode[]>;
}
