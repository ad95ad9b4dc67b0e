import { maskedValue } from '../domain/run-request.ts';

/** The shortest value, or line of a value, that is masked: masking shorter ones would make a log unreadable and tell their length. */
const shortest = 4;

/** The three base64 forms of a value inside longer data, without the edges that depend on what stands around it. */
function base64Forms(value: string): string[] {
  const forms = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)])
      .toString('base64')
      .replace(/=+$/, '');
    const head = offset === 0 ? 0 : offset + 1;
    const wholeGroups = (Buffer.byteLength(value) + offset) % 3 === 0;
    return text.slice(head, wholeGroups ? undefined : -1);
  });
  return forms.filter((form) => form.length >= 8);
}

/** The ways in which a secret shows up in output: as it is, by line, quoted, URL-encoded, in base64 and hexadecimal. */
function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  return [secret, ...lines].flatMap((text) =>
    text.length < shortest
      ? []
      : [
          text,
          JSON.stringify(text).slice(1, -1),
          encodeURIComponent(text),
          Buffer.from(text).toString('hex'),
          ...base64Forms(text),
          ...base64Forms(text).map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
        ],
  );
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function patternOf(secrets: ReadonlySet<string>): RegExp | undefined {
  const forms = [...new Set([...secrets].flatMap(formsOf))].sort((a, b) => b.length - a.length);
  return forms.length === 0 ? undefined : new RegExp(forms.map(escapeForPattern).join('|'), 'g');
}

/** Replaces every form of every secret that it knows in a line by asterisks, the longest first. */
export interface Masker {
  (line: string): string;
  /** Makes more secrets known: those of lines that were masked before stay as they are. */
  learn(secrets: readonly string[]): void;
  /** All secrets that are known so far. */
  known(): readonly string[];
}

/** Makes a masker that knows some secrets. Masking stops accidents, not an author who wants to print a secret. */
export function createMasker(secrets: readonly string[]): Masker {
  const known = new Set(secrets);
  let pattern = patternOf(known);
  const mask = (line: string): string => (pattern === undefined ? line : line.replace(pattern, maskedValue));
  return Object.assign(mask, {
    learn: (more: readonly string[]): void => {
      for (const one of more) known.add(one);
      pattern = patternOf(known);
    },
    known: () => [...known],
  });
}
