import { TemplateFault } from './faults.ts';
import { sortedKeys } from './format/printer.ts';
import { checkShown, refuseOutput } from './outputs.ts';
import { evaluatePipeline } from './pipeline.ts';
import { Scope } from './scope.ts';
import { GoList, GoMap, int, isTrue, typeName, type Value } from './value.ts';
import type { State } from './state.ts';
import type { TemplateNode } from './syntax/ast.ts';

/** How a list of nodes ended: at its end, or by a jump that the enclosing range takes. */
type Ending = 'done' | 'break' | 'continue';

type Nodes = readonly TemplateNode[];
type Branch = Extract<TemplateNode, { readonly kind: 'if' | 'with' | 'range' }>;

/** Runs the nodes with `dot`, and writes what they show to the output of the state. */
export function runNodes(state: State, dot: Value, nodes: Nodes): Ending {
  for (const node of nodes) {
    const ending = runBlamed(state, dot, node);
    if (ending !== 'done') return ending;
  }
  return 'done';
}

/** A fault that has no place points at the innermost node. */
function runBlamed(state: State, dot: Value, node: TemplateNode): Ending {
  try {
    return runNode(state, dot, node);
  } catch (error) {
    if (error instanceof TemplateFault) error.offset ??= node.at;
    throw error;
  }
}

function runNode(state: State, dot: Value, node: TemplateNode): Ending {
  state.budget.spend();
  switch (node.kind) {
    case 'text':
      state.output.write(node.text);
      return 'done';
    case 'action': {
      const value = evaluatePipeline(state, dot, node.pipeline);
      if (node.pipeline.variables.length === 0) {
        checkShown(value, node.pipeline.at);
        show(state, value);
      }
      return 'done';
    }
    case 'break':
    case 'continue':
      return node.kind;
    case 'template':
      runTemplate(state, dot, node);
      return 'done';
    case 'if':
    case 'with':
    case 'range':
      return state.budget.nested(() => runBranch(state, dot, node));
  }
}

function show(state: State, value: Value): void {
  if (typeof value === 'string') state.output.write(value);
  else if (value === undefined || value === null) state.output.write('<no value>');
  else state.output.write(state.environment.print(value));
}

function runBranch(state: State, dot: Value, node: Branch): Ending {
  const size = state.scope.size;
  const value = refuseOutput(evaluatePipeline(state, dot, node.pipeline), node.pipeline.at);
  const ending = node.kind === 'range' ? runRange(state, dot, { node, value }) : runChoice(state, dot, { node, value });
  state.scope.shrink(size);
  return ending;
}

interface Evaluated {
  readonly node: Branch;
  readonly value: Value;
}

function runChoice(state: State, dot: Value, { node, value }: Evaluated): Ending {
  if (isTrue(value)) return runNodes(state, node.kind === 'with' ? value : dot, node.body);
  return runNodes(state, dot, node.otherwise ?? []);
}

function runRange(state: State, dot: Value, { node, value }: Evaluated): Ending {
  const size = state.scope.size;
  let count = 0;
  for (const [key, item] of members(value, node.pipeline.at)) {
    count++;
    setRangeVariables(state, node, [key, item]);
    const ending = runNodes(state, item, node.body);
    state.scope.shrink(size);
    if (ending === 'break') break;
  }
  return count === 0 ? runNodes(state, dot, node.otherwise ?? []) : 'done';
}

/** `$item :=` gets the item, `$key, $item :=` both; they were declared when the pipeline was evaluated. */
function setRangeVariables(state: State, node: Branch, [key, item]: readonly [Value, Value]): void {
  const [first, second] = node.pipeline.variables;
  if (first === undefined) return;
  if (second === undefined) state.scope.set(first, item);
  else {
    state.scope.set(second, item);
    state.scope.set(first, key);
  }
}

function members(value: Value, offset: number): Iterable<readonly [Value, Value]> {
  if (value instanceof GoList) return value.items.map((item, index) => [int(index), item] as const);
  if (value instanceof GoMap) return sortedKeys(value).map((key) => [key, value.entries.get(key)] as const);
  if (value === null || value === undefined) return [];
  const hint = 'Range goes over lists and maps; until makes a list of numbers.';
  throw new TemplateFault(`range can't iterate over a value of type ${typeName(value)}`, { offset, hint });
}

function runTemplate(state: State, dot: Value, node: Extract<TemplateNode, { readonly kind: 'template' }>): void {
  const nodes = state.templates.get(node.name);
  if (nodes === undefined) throw new TemplateFault(`template "${node.name}" not defined`, { offset: node.at });
  const value = node.pipeline === undefined ? undefined : evaluatePipeline(state, dot, node.pipeline);
  const scope = new Scope<Value>();
  scope.push('$', value);
  state.budget.nested(() => runNodes({ ...state, scope }, value, nodes));
}
