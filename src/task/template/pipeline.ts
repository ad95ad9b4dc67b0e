import { callFunction, type Call } from './call.ts';
import { TemplateFault } from './faults.ts';
import { evaluatePath } from './fields.ts';
import { int, type Value } from './value.ts';
import type { State } from './state.ts';
import type { Command, Operand, Pipeline } from './syntax/ast.ts';

/** The value that the stage before hands on as last argument; `undefined` stands for the first stage. */
type Piped = { readonly value: Value } | undefined;

/** Evaluates the stages from left to right, and gives the value to the variables of the pipeline. */
export function evaluatePipeline(state: State, dot: Value, pipeline: Pipeline): Value {
  let piped: Piped;
  for (const command of pipeline.commands) {
    state.budget.spend();
    // A nil interface that leaves a stage is no value any more: this is what makes `(.missing).field` no error.
    piped = { value: evaluateCommand(state, dot, { command, piped }) ?? undefined };
  }
  const value = piped?.value;
  for (const name of pipeline.variables) {
    if (!pipeline.isAssignment) state.scope.push(name, value);
    else if (state.scope.has(name)) state.scope.set(name, value);
    else
      throw new TemplateFault(`undefined variable: ${name}`, {
        offset: pipeline.at,
        hint: `Declare it first: ${name} := …`,
      });
  }
  return value;
}

interface Stage {
  readonly command: Command;
  readonly piped: Piped;
}

function evaluateCommand(state: State, dot: Value, { command, piped }: Stage): Value {
  const [first, ...args] = command.args;
  if (first.kind === 'identifier') {
    return call(state, dot, { name: first.name, at: first.at, operands: args, piped });
  }
  if (args.length > 0 || piped !== undefined) {
    throw new TemplateFault("can't give argument to a value that is no function", {
      offset: first.at,
      hint: 'Only functions take arguments; did you mean to pipe into one?',
    });
  }
  if (first.kind === 'nil') throw new TemplateFault('nil is not a command', { offset: first.at });
  return evaluateOperand(state, dot, first);
}

/** The value of an operand where any type will do. */
export function evaluateOperand(state: State, dot: Value, operand: Operand): Value {
  switch (operand.kind) {
    case 'identifier':
      return call(state, dot, { name: operand.name, at: operand.at, operands: [], piped: undefined });
    case 'field':
    case 'variable':
    case 'chain':
      return evaluatePath(pathStart(state, dot, operand), operand.path);
    case 'pipeline':
      return state.budget.nested(() => evaluatePipeline(state, dot, operand));
    default:
      return simpleValue(dot, operand);
  }
}

type Simple = Extract<Operand, { readonly kind: 'dot' | 'nil' | 'boolean' | 'string' | 'number' }>;

function simpleValue(dot: Value, operand: Simple): Value {
  switch (operand.kind) {
    case 'dot':
      return dot;
    case 'nil':
      return null;
    case 'number':
      return numberValue(operand);
    default:
      return operand.value;
  }
}

function pathStart(
  state: State,
  dot: Value,
  operand: Extract<Operand, { readonly kind: 'field' | 'variable' | 'chain' }>,
): Value {
  if (operand.kind === 'field') return dot;
  return operand.kind === 'variable' ? variable(state, operand) : evaluateOperand(state, dot, operand.of);
}

function variable(state: State, { name, at }: { readonly name: string; readonly at: number }): Value {
  if (!state.scope.has(name)) throw new TemplateFault(`undefined variable: ${name}`, { offset: at });
  return state.scope.get(name);
}

function numberValue({ literal, at }: Extract<Operand, { readonly kind: 'number' }>): Value {
  if (literal.isFloat) return literal.float;
  if (literal.int === undefined) throw new TemplateFault(`${literal.text} overflows int`, { offset: at });
  return int(literal.int);
}

interface Invocation {
  readonly name: string;
  readonly at: number;
  readonly operands: readonly Operand[];
  readonly piped: Piped;
}

function call(state: State, dot: Value, { name, at, operands, piped }: Invocation): Value {
  const request: Call = { name, at, operands, piped, evaluate: (operand) => evaluateOperand(state, dot, operand) };
  return callFunction(state, request);
}
