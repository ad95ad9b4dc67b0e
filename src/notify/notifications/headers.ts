import { fail } from '../../domain/failure.ts';

const reserved = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const maxHeaders = 20;

/** How the check differs for a kind of notification. */
export interface HeaderRules {
  /** What stands before the fields that failures name: `properties.`; nothing when left out. */
  readonly at?: string;
  /** Headers that may be given though Slipway sets them too. */
  readonly replaceable?: readonly string[];
}

function whyRefused(name: string, value: string, replaceable: readonly string[]): string | undefined {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name)) return 'is no name of a header';
  const lower = name.toLowerCase();
  if ((reserved.has(lower) && !replaceable.includes(lower)) || /^(?:webhook-|proxy-)/.test(lower))
    return 'is a header that Slipway sets itself';
  if (value.length > 4096 || !/^[\x20-\x7e]*$/.test(value)) return 'has a value that is no line of ASCII text';
  return undefined;
}

/** Headers in lower case. Throws `invalid-request` that names the wrong one, and never shows a value. */
export function checkHeaders(
  headers: Readonly<Record<string, string>>,
  { at = '', replaceable = [] }: HeaderRules = {},
): Record<string, string> {
  const entries = Object.entries(headers);
  const all = `${at}customHeaders`;
  if (entries.length > maxHeaders)
    throw fail('invalid-request', `${all} has more than ${maxHeaders} headers`, { field: all });
  for (const [name, value] of entries) {
    const why = whyRefused(name, value, replaceable);
    const field = `${all}.${name.slice(0, 100)}`;
    if (why !== undefined) throw fail('invalid-request', `${field} ${why}`, { field });
  }
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}
