/** A value that one step gives to others: `{{.Outputs.STEP.NAME}}`. */
export interface OutputReference {
  /** Id of the step that gives it. */
  readonly step: string;
  readonly name: string;
}

/*
 * Tasks are rendered before anything runs, so that a word stands in the plan where a value will be. It is made of letters, digits, `.` and
 * `_` alone, which mean nothing to YAML, to a shell or in a tag; what else an id or a name has is written as `_` and two hexadecimal digits
 * for each byte. No part has a `.` of its own, so that the word ends where `.end` does, whatever follows it.
 */
const prefix = 'slipway.output.';
const part = '((?:[a-zA-Z0-9]|_[0-9a-f]{2})+)';
const placeholder = new RegExp(`slipway\\.output\\.${part}\\.${part}\\.end`, 'g');

function encode(text: string): string {
  return text.replace(/[^a-zA-Z0-9]/gu, (char) =>
    [...new TextEncoder().encode(char)].map((byte) => `_${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

function decode(text: string): string {
  const bytes = text.replace(
    /_([0-9a-f]{2})|[a-zA-Z0-9]/g,
    (char, hex: string | undefined) => hex ?? char.charCodeAt(0).toString(16),
  );
  return Buffer.from(bytes, 'hex').toString('utf8');
}

/** The word that stands in a plan for the value of an output; `step` and `name` are not empty. */
export function outputPlaceholder({ step, name }: OutputReference): string {
  return `${prefix}${encode(step)}.${encode(name)}.end`;
}

/** Whether a text may have placeholders in it: a cheap look. */
export function mayHaveOutputs(text: string): boolean {
  return text.includes(prefix);
}

/** The outputs that a text refers to, in their order, each as often as it is used. */
export function findOutputs(text: string): readonly OutputReference[] {
  if (!mayHaveOutputs(text)) return [];
  return [...text.matchAll(placeholder)].map(([, step = '', name = '']) => ({
    step: decode(step),
    name: decode(name),
  }));
}

/** What stands in the place of a placeholder; `start` is its offset in the text. */
export type ReplaceOutput = (output: OutputReference, placeholder: string, start: number) => string;

/** The text with something else in the place of each placeholder. What is put in is not looked at again. */
export function replaceOutputs(text: string, valueOf: ReplaceOutput): string {
  if (!mayHaveOutputs(text)) return text;
  return text.replace(placeholder, (found, step: string, name: string, start: number) =>
    valueOf({ step: decode(step), name: decode(name) }, found, start),
  );
}

/** An output as people write it in a task. */
export function formatOutput({ step, name }: OutputReference): string {
  const isPlain = /^[a-zA-Z_]\w*$/.test(step) && /^[a-zA-Z_]\w*$/.test(name);
  return isPlain ? `{{.Outputs.${step}.${name}}}` : `{{index .Outputs "${step}" "${name}"}}`;
}

/** What the outputs of a step may be at most. */
export const outputLimits = { bytes: 64 * 1024, names: 100, nameLength: 64 } as const;

/** True for a name that an output may have: a letter or `_`, then letters, digits, `_` and `-`. */
export function isOutputName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_-]*$/.test(name) && name.length <= outputLimits.nameLength;
}
