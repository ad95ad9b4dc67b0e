import { createHash } from 'node:crypto';
import { fromBytes, toBytes } from '../text/bytes.ts';
import { decodeBase32, decodeBase64, encodeBase32 } from '../text/base.ts';
import { textOf } from './convert.ts';
import { fn, type FunctionTable, type TemplateFunction } from './define.ts';

const hash = (algorithm: string): TemplateFunction =>
  fn(['string'], ([text]) => createHash(algorithm).update(toBytes(text)).digest('hex'));

/** Adler-32, as a decimal number. */
function adler32(text: string): string {
  let [a, b] = [1, 0];
  for (const byte of toBytes(text)) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return String(b * 65_536 + a);
}

/** Sprig's encodings and hashes. What does not decode gives the text of the error, as Sprig does. */
export const encodingFunctions: FunctionTable = {
  // The reference replaces Sprig's own: a missing value gives an empty text, not an error.
  b64enc: fn(['any'], ([value], env) => {
    return value === null || value === undefined ? '' : toBytes(textOf(value, env)).toString('base64');
  }),
  b64dec: fn(['string'], ([text]) => decoded(decodeBase64(text), 'base64')),
  b32enc: fn(['string'], ([text]) => encodeBase32(toBytes(text))),
  b32dec: fn(['string'], ([text]) => decoded(decodeBase32(text), 'base32')),
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  adler32sum: fn(['string'], ([text]) => adler32(text)),
};

function decoded(result: Buffer | number, encoding: string): string {
  if (typeof result !== 'number') return fromBytes(result);
  return `illegal ${encoding} data at input byte ${result}`;
}
