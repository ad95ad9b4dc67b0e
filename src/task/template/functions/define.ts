import { LimitFault, TemplateFault } from '../faults.ts';
import type { Printer } from '../format/printer.ts';
import type { Budget } from '../budget.ts';
import type { GoMap, GoTime, Value, Zone } from '../value.ts';

/** What functions may use besides their arguments. */
export interface Environment {
  readonly budget: Budget;
  /** Milliseconds since the epoch: the one "now" of the rendering. */
  readonly now: number;
  /** The next random number, 0 ≤ n < 1. */
  readonly random: () => number;
  /** The time zone of a name, undefined when there is none. Loading one is slow, so it is remembered and paid for. */
  readonly zone: (name: string) => Zone | undefined;
  /** Prints a value as Go's `%v` does, within the budget. */
  readonly print: (value: Value) => string;
  /** A printer for formats of more than one value. */
  readonly printer: () => Printer;
}

/** Types of parameters, by the name that error messages give them, and what a function receives for each. */
export interface ParameterTypes {
  any: Value;
  string: string;
  int: number;
  float64: number;
  bool: boolean;
  map: GoMap;
  time: GoTime;
}

export type ParameterType = keyof ParameterTypes;

export const parameterNames: Readonly<Record<ParameterType, string>> = {
  any: 'interface {}',
  string: 'string',
  int: 'int',
  float64: 'float64',
  bool: 'bool',
  map: 'map[string]interface {}',
  time: 'time.Time',
};

type Received<P extends readonly ParameterType[]> = { -readonly [K in keyof P]: ParameterTypes[P[K]] };

/** A function of the language; the evaluator has checked the number and the types of `args`. */
export interface TemplateFunction {
  readonly parameters: readonly ParameterType[];
  /** Type of any number of further arguments. */
  readonly rest: ParameterType | undefined;
  /** Steps to spend for 32 characters, or 4 items, of each argument. */
  readonly cost: number;
  readonly call: (args: readonly Value[], env: Environment) => Value;
}

export type FunctionTable = Readonly<Record<string, TemplateFunction>>;

/** A function with a fixed number of parameters. */
export function fn<const P extends readonly ParameterType[]>(
  parameters: P,
  call: (args: Received<P>, env: Environment) => Value,
): TemplateFunction {
  return {
    parameters,
    rest: undefined,
    cost: 1,
    call: (args, env) => call(receive(parameters, args) as Received<P>, env),
  };
}

/** A function that takes any number of arguments of type `rest` after the fixed ones. */
export function variadic<const P extends readonly ParameterType[], R extends ParameterType>(
  parameters: P,
  rest: R,
  call: (args: Received<P>, more: ParameterTypes[R][], env: Environment) => Value,
): TemplateFunction {
  const take = (args: readonly Value[], env: Environment): Value => {
    const fixed = receive(parameters, args.slice(0, parameters.length)) as Received<P>;
    const more = args.slice(parameters.length).map((arg) => receiveOne(rest, arg)) as ParameterTypes[R][];
    return call(fixed, more, env);
  };
  return { parameters, rest, cost: 1, call: take };
}

function receive(types: readonly ParameterType[], args: readonly Value[]): unknown[] {
  return types.map((type, index) => receiveOne(type, args[index]));
}

function receiveOne(type: ParameterType, arg: Value): unknown {
  if (type === 'int' && typeof arg === 'object' && arg !== null && 'value' in arg) return Number(arg.value);
  return arg;
}

/** The same functions, each `cost` times as dear, since they look at every character for long. */
export function costly(cost: number, functions: FunctionTable): FunctionTable {
  return Object.fromEntries(Object.entries(functions).map(([name, each]) => [name, { ...each, cost }]));
}

/** What a function gives that hides its faults: `fallback` in their place. Limits are not hidden. */
export function orElse(fallback: Value, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateFault) || error instanceof LimitFault) throw error;
    return fallback;
  }
}
