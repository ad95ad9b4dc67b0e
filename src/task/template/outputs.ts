import { isOutputName, outputPlaceholder } from '../../domain/output-reference.ts';
import { TemplateFault } from './faults.ts';
import { GoMap, GoObject, type Value } from './value.ts';

/** Has a field for every name, made when it is first asked for. */
class LazyFields extends Map<string, Value> {
  readonly #make: (name: string) => Value;

  constructor(make: (name: string) => Value) {
    super();
    this.#make = make;
  }

  override get(name: string): Value {
    if (!this.has(name)) this.set(name, this.#make(name));
    return super.get(name);
  }
}

/** `.Outputs`, and `.Outputs.STEP`: what there is only the graph knows. */
class OutputFields extends GoObject {
  constructor(text: string, make: (name: string) => Value) {
    super('outputs', text, new LazyFields(make));
  }
}

/** `.Outputs.STEP.NAME`: shows as a placeholder, for the value that it will have. */
class Output extends GoObject {}

function makeOutput(step: string, name: string): Value {
  if (step === '' || !isOutputName(name)) throw new TemplateFault(`${JSON.stringify(name)} is no name of an output`);
  return new Output('output', outputPlaceholder({ step, name }), new Map());
}

/** The data of a template; its `Outputs` can be named, and is not among its entries. */
export class GoRoot extends GoMap {
  readonly outputs: Value = new OutputFields(
    '.Outputs',
    (step) => new OutputFields(`.Outputs.${step}`, (name) => makeOutput(step, name)),
  );
}

const whyUnknown = 'outputs are known only when the steps run';
const hint = 'write {{.Outputs.STEP.NAME}} by itself, and let the step that reads it change or compare the value';

/**
 * Hands a value on to something that looks at it: a function, a condition.
 * @throws TemplateFault for an output, whose value nobody knows yet.
 */
export function refuseOutput(value: Value, offset: number): Value {
  if (!(value instanceof Output || value instanceof OutputFields)) return value;
  throw new TemplateFault(`${whyUnknown}: no function and no condition can use ${describe(value)}`, { offset, hint });
}

/** @throws TemplateFault for what is only a part of an output's name. */
export function checkShown(value: Value, offset: number): void {
  if (value instanceof OutputFields)
    throw new TemplateFault(`${value.text} is not the name of an output`, { offset, hint });
}

function describe(value: GoObject): string {
  return value instanceof Output ? 'an output' : value.text;
}

/** What `index .Outputs "step" "name"` gives; undefined when `of` has no outputs. This is how steps are named whose ids have dashes. */
export function indexOutputs(of: Value, names: readonly Value[]): Value {
  if (!(of instanceof OutputFields)) return undefined;
  return names.reduce<Value>((value, name) => {
    const isNamed = value instanceof OutputFields && typeof name === 'string';
    if (!isNamed) throw new TemplateFault('index takes .Outputs, the id of a step and the name of an output', { hint });
    return value.fields.get(name);
  }, of);
}
