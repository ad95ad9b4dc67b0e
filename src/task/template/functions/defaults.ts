import { isEmpty } from './empty.ts';
import { fn, variadic, type FunctionTable } from './define.ts';

/** Sprig's functions on values that may be missing. */
export const defaultFunctions: FunctionTable = {
  default: variadic(['any'], 'any', ([fallback], given) => (isEmpty(given[0]) ? fallback : given[0])),
  empty: fn(['any'], ([value]) => isEmpty(value)),
  coalesce: variadic([], 'any', (_none, values) => values.find((value) => !isEmpty(value))),
  ternary: fn(['any', 'any', 'bool'], ([yes, no, condition]) => (condition ? yes : no)),
};
