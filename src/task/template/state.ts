import type { Budget } from './budget.ts';
import type { Printer } from './format/printer.ts';
import type { Environment, TemplateFunction } from './functions/define.ts';
import type { Scope } from './scope.ts';
import type { TemplateNode } from './syntax/ast.ts';
import type { Value } from './value.ts';

/** All that the evaluator carries through a template; a called template gets one with a scope of its own. */
export interface State {
  readonly templates: ReadonlyMap<string, readonly TemplateNode[]>;
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly scope: Scope<Value>;
  readonly output: Printer;
  readonly budget: Budget;
  readonly environment: Environment;
}
