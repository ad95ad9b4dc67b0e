import { kindName, typeName } from '../value.ts';
import { deepEqual } from './equal.ts';
import { fn, type FunctionTable } from './define.ts';

/** Sprig's functions on types. */
export const reflectionFunctions: FunctionTable = {
  typeOf: fn(['any'], ([value]) => typeName(value)),
  typeIs: fn(['string', 'any'], ([type, value]) => typeName(value) === type),
  typeIsLike: fn(['string', 'any'], ([type, value]) => [type, `*${type}`].includes(typeName(value))),
  kindOf: fn(['any'], ([value]) => kindName(value)),
  kindIs: fn(['string', 'any'], ([kind, value]) => kindName(value) === kind),
  deepEqual: fn(['any', 'any'], ([a, b], env) => deepEqual(a, b, env.budget)),
};
