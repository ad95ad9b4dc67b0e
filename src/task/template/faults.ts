/** What stops a rendering; converted to a result in `render.ts`, and never seen outside this folder. */
export class TemplateFault extends Error {
  /** Offset in the template, in UTF-16 code units; unknown until a node of the template has been blamed. */
  offset: number | undefined;
  readonly hint: string | undefined;

  constructor(message: string, more: { readonly offset?: number; readonly hint?: string | undefined } = {}) {
    super(message);
    this.offset = more.offset;
    this.hint = more.hint;
  }
}

/** A fault that is a bound of ours, so it is told as it is, not as an error of the function that met it. */
export class LimitFault extends TemplateFault {}

/** The fault of a function: its message is put behind "error calling …". */
export function refuse(message: string, hint?: string): TemplateFault {
  return new TemplateFault(message, { hint });
}
