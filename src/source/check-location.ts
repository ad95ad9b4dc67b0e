import { parseSourceLocation } from './location.ts';
import { splitSecret } from './location-secret.ts';

/**
 * Checks a source location as a client gives it, and takes its secret out: what is left may be stored and shown.
 * @throws `invalid-request` with field `sourceLocation`
 */
export function checkLocation(text: string): { readonly location: string; readonly secret?: string } {
  parseSourceLocation(text);
  return splitSecret(text);
}
