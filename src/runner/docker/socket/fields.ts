import { refuse, reachesHost, wrong } from './refusal.ts';

/** Takes the value of a field and gives the one to send on; undefined leaves the field out. Throws what it does not take. */
export type Rule = (value: unknown, field: string) => unknown;

export type Rules = Readonly<Record<string, Rule>>;

export type Fields = Readonly<Record<string, unknown>>;

/** True for an object that is no list. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for what the engine takes as "not given". */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Cuts what a client wrote down to something that fits into a message. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined);
  return (text ?? 'nothing').slice(0, 100);
}

/**
 * Makes an object anew, of the fields that have a rule and nothing else. A field without one is left out when it is empty and refused
 * when not, so that a field nobody thought of, or one in other letters (the engine reads names in any case), never gets through.
 */
export function readFields(given: unknown, rules: Rules, where: string): Record<string, unknown> {
  if (isEmpty(given)) return {};
  if (!isObject(given)) throw wrong(`${where === '' ? 'the body' : where} must be an object`);
  const taken: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const field = where === '' ? name : `${where}.${name}`;
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      if (!isEmpty(value))
        throw refuse(`"${field.slice(0, 100)}": ${show(value)}`, 'it is not among what is known to be harmless');
      continue;
    }
    const read = rule(value, field);
    if (read !== undefined) taken[name] = read;
  }
  return taken;
}

/** Leaves a field out, whatever it says: it means nothing to the engine, or is read elsewhere. */
export const passedOver: Rule = () => undefined;

const typed =
  (type: 'string' | 'number' | 'boolean'): Rule =>
  (value, field) => {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== type) throw wrong(`${field} must be a ${type}`);
    return value;
  };

export const text = typed('string');
export const number = typed('number');
export const flag = typed('boolean');

/** A list of texts; null stays null, which some fields tell from an empty list. */
export const texts: Rule = (value, field) => {
  if (value === undefined || value === null) return value;
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string'))
    throw wrong(`${field} must be a list of texts`);
  return value as readonly string[];
};

/** A text, or a list of them, as commands have it. */
export const words: Rule = (value, field) => (typeof value === 'string' ? [value] : texts(value, field));

/** An object of texts. */
export const textMap: Rule = (value, field) => {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value) || Object.values(value).some((one) => typeof one !== 'string')) {
    throw wrong(`${field} must be an object of texts`);
  }
  return value;
};

/** An object whose keys alone say something: `{"80/tcp": {}}`. */
export const keySet: Rule = (value, field) => {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw wrong(`${field} must be an object`);
  return Object.fromEntries(Object.keys(value).map((key) => [key, {}]));
};

/** An object of harmless fields that the engine checks itself. */
export const plainObject: Rule = (value, field) => {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw wrong(`${field} must be an object`);
  return value;
};

/** One of these texts and no other. */
export function oneOf(...allowed: readonly string[]): Rule {
  return (value, field) => {
    const given = text(value, field) ?? '';
    if (allowed.includes(given as string)) return given === '' ? undefined : given;
    throw refuse(`"${field}": ${show(value)}`, reachesHost);
  };
}

/** Refused unless it is empty. */
export function emptyBecause(why: string): Rule {
  return (value, field) => {
    if (!isEmpty(value)) throw refuse(`"${field}": ${show(value)}`, why);
    return undefined;
  };
}
