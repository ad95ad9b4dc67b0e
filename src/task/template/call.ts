import { LimitFault, TemplateFault } from './faults.ts';
import { indexOutputs, refuseOutput } from './outputs.ts';
import { parameterNames, type ParameterType, type TemplateFunction } from './functions/define.ts';
import { GoInt, GoList, GoMap, GoObject, GoTime, int, isTrue, typeName, type Value } from './value.ts';
import type { State } from './state.ts';
import type { Operand } from './syntax/ast.ts';
import type { NumberLiteral } from './syntax/numbers.ts';

/** A call as it stands in the template. */
export interface Call {
  readonly name: string;
  readonly at: number;
  readonly operands: readonly Operand[];
  /** What the stage before hands on as last argument. */
  readonly piped: { readonly value: Value } | undefined;
  readonly evaluate: (operand: Operand) => Value;
}

/**
 * Checks number and types of the arguments as Go's reflection does, and calls the function.
 * @throws TemplateFault at the argument that does not fit, or at the call when the function refuses.
 */
export function callFunction(state: State, given: Call): Value {
  const output = given.name === 'index' ? callIndex(given) : undefined;
  if (output !== undefined) return output;
  const call = withoutOutputs(given);
  const callee = state.functions.get(call.name);
  if (callee === undefined) throw new TemplateFault(`"${call.name}" is not a defined function`, { offset: call.at });
  checkCount(call, callee);
  if (call.name === 'and' || call.name === 'or') return shortCircuit(call);
  const args = call.operands.map((operand, index) => argument(call, operand, parameterAt(callee, index)));
  if (call.piped !== undefined) args.push(checkType(call.piped.value, parameterAt(callee, args.length), call.at));
  return invoke(state, call, { callee, args });
}

/** The call with arguments that are no outputs, which functions cannot use. */
function withoutOutputs(call: Call): Call {
  if (call.piped !== undefined) refuseOutput(call.piped.value, call.at);
  return { ...call, evaluate: (operand) => refuseOutput(call.evaluate(operand), operand.at) };
}

/** `index .Outputs "step" "name"`; undefined for any other use of it. */
function callIndex({ at, operands: [first, ...names], evaluate }: Call): Value {
  if (first?.kind !== 'field' && first?.kind !== 'variable') return undefined;
  const of = evaluate(first);
  if (!(of instanceof GoObject)) return undefined;
  try {
    return indexOutputs(
      of,
      names.map((name) => refuseOutput(evaluate(name), name.at)),
    );
  } catch (error) {
    if (error instanceof TemplateFault) error.offset ??= at;
    throw error;
  }
}

function checkCount({ name, at, operands, piped }: Call, { parameters, rest }: TemplateFunction): void {
  const given = operands.length + (piped === undefined ? 0 : 1);
  const wanted = parameters.length;
  if (rest === undefined ? given === wanted : given >= wanted) return;
  const least = rest === undefined ? '' : 'at least ';
  throw new TemplateFault(`wrong number of args for ${name}: want ${least}${wanted} got ${given}`, { offset: at });
}

/** `and` gives the first argument that is false, `or` the first that is true, or else the last; the rest is not evaluated. */
function shortCircuit({ name, operands, piped, evaluate }: Call): Value {
  let value: Value;
  for (const operand of operands) {
    value = evaluate(operand);
    if (isTrue(value) === (name === 'or')) return value;
  }
  return piped === undefined ? value : piped.value;
}

function parameterAt({ parameters, rest }: TemplateFunction, index: number): ParameterType {
  return parameters[index] ?? rest ?? 'any';
}

function argument(call: Call, operand: Operand, type: ParameterType): Value {
  if (type === 'any') return call.evaluate(operand);
  switch (operand.kind) {
    case 'nil':
      if (type === 'map') return new GoMap(new Map(), undefined, true);
      throw new TemplateFault(`cannot assign nil to ${parameterNames[type]}`, { offset: operand.at });
    case 'boolean':
    case 'string':
    case 'number':
      return literalArgument(operand, type);
    default:
      return checkType(call.evaluate(operand), type, operand.at);
  }
}

type Literal = Extract<Operand, { readonly kind: 'boolean' | 'string' | 'number' }>;

const literalNames: Readonly<Partial<Record<ParameterType, string>>> = { int: 'integer', float64: 'float' };

/** A literal takes on the type of the parameter where it can: 1 is a float64 for a float64. */
function literalArgument(operand: Literal, type: ParameterType): Value {
  if (operand.kind === 'number') {
    const value = literalNumber(operand.literal, type);
    if (value !== undefined) return value;
  } else if (operand.kind === (type === 'bool' ? 'boolean' : type)) return operand.value;
  throw wrongLiteral(operand, type);
}

function literalNumber(literal: NumberLiteral, type: ParameterType): Value {
  if (type === 'float64') return literal.float;
  return type === 'int' && literal.int !== undefined ? int(literal.int) : undefined;
}

function wrongLiteral(operand: Literal, type: ParameterType): TemplateFault {
  const source = sourceOf(operand);
  const hint = type === 'string' && operand.kind === 'number' ? `Put it in quotes: "${source}".` : undefined;
  const wanted = literalNames[type] ?? parameterNames[type];
  return new TemplateFault(`expected ${wanted}; found ${source}`, { offset: operand.at, hint });
}

function sourceOf(operand: Literal): string {
  if (operand.kind === 'number') return operand.literal.text;
  return operand.kind === 'string' ? operand.source : String(operand.value);
}

function checkType(value: Value, type: ParameterType, offset: number): Value {
  if (type === 'any' || fits(value, type)) return value;
  const wanted = parameterNames[type];
  if (value === undefined) {
    if (type === 'map') return new GoMap(new Map(), undefined, true);
    const hint = 'The value is missing: give it one with default.';
    throw new TemplateFault(`invalid value; expected ${wanted}`, { offset, hint });
  }
  const got = value === null ? 'interface {}' : typeName(value);
  throw new TemplateFault(`wrong type for value; expected ${wanted}; got ${got}`, {
    offset,
    hint: typeHint(value, type),
  });
}

function fits(value: Value, type: Exclude<ParameterType, 'any'>): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'float64':
      return typeof value === 'number';
    case 'int':
      return value instanceof GoInt && value.type === 'int';
    case 'map':
      return value instanceof GoMap && value.type === parameterNames.map;
    case 'time':
      return value instanceof GoTime;
  }
}

function typeHint(value: Value, type: ParameterType): string | undefined {
  if (value === null) return 'The value is missing: give it one with default.';
  if (type === 'string') return 'Make it a string with toString.';
  if (type === 'int' && value instanceof GoInt) return 'Make it an int with int.';
  return type === 'float64' && value instanceof GoInt ? 'Make it a float with float64.' : undefined;
}

interface Prepared {
  readonly callee: TemplateFunction;
  readonly args: readonly Value[];
}

function invoke(state: State, { name, at }: Call, { callee, args }: Prepared): Value {
  try {
    for (const arg of args) state.budget.spend(weight(arg) * callee.cost);
    const result = callee.call(args, state.environment);
    if (typeof result === 'string') state.budget.claim(result.length);
    else state.budget.spend(weight(result));
    return result;
  } catch (error) {
    if (error instanceof LimitFault) error.offset ??= at;
    else if (error instanceof TemplateFault) {
      throw new TemplateFault(`error calling ${name}: ${error.message}`, {
        offset: error.offset ?? at,
        hint: error.hint,
      });
    }
    throw error;
  }
}

/** What it costs to hand a value to a function, which may look at all of it. */
function weight(value: Value): number {
  if (typeof value === 'string') return value.length >>> 5;
  if (value instanceof GoList) return value.items.length >>> 2;
  return value instanceof GoMap ? value.entries.size >>> 2 : 0;
}
