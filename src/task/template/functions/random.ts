import { int } from '../value.ts';
import { refuse } from '../faults.ts';
import { fn, type Environment, type FunctionTable } from './define.ts';
import { runes } from '../text/characters.ts';

const digits = '0123456789';
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

function pick(env: Environment, count: number): number {
  return Math.min(count - 1, Math.floor(env.random() * count));
}

const randomText = (alphabet: string) =>
  fn(['int'], ([length], env) => {
    env.budget.claim(Math.max(0, length) * 32);
    return Array.from({ length: Math.max(0, length) }, () => alphabet[pick(env, alphabet.length)] ?? '').join('');
  });

/** A random (version 4) UUID. */
function uuid(env: Environment): string {
  env.budget.spend(32);
  const hex = Array.from({ length: 32 }, () => pick(env, 16).toString(16));
  hex[12] = '4';
  hex[16] = (8 + pick(env, 4)).toString(16);
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function shuffle(text: string, env: Environment): string {
  const chars = runes(text);
  for (let last = chars.length - 1; last > 0; last--) {
    const other = pick(env, last + 1);
    [chars[last], chars[other]] = [chars[other] ?? '', chars[last] ?? ''];
  }
  return chars.join('');
}

/** Sprig's random functions, from the source that the caller hands in. */
export const randomFunctions: FunctionTable = {
  randAlphaNum: randomText(letters + digits),
  randAlpha: randomText(letters),
  randNumeric: randomText(digits),
  randAscii: randomText(printable),
  randInt: fn(['int', 'int'], ([min, max], env) => {
    if (max <= min) throw refuse('invalid argument to Intn');
    return int(min + pick(env, max - min));
  }),
  shuffle: fn(['string'], ([text], env) => shuffle(text, env)),
  uuidv4: fn([], (_none, env) => uuid(env)),
};
