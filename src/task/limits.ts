/** What a task file may be at most; beyond it the file is refused, so that no file can make planning slow. */
export interface Limits {
  /** Bytes of the file, as UTF-8. */
  readonly bytes: number;
  /** UTF-16 units of the text after aliases and templates. */
  readonly renderedLength: number;
  /** Pieces that YAML is made of: scalars, marks, line ends. */
  readonly tokens: number;
  /** Collections inside each other. */
  readonly depth: number;
  /** YAML aliases (`*name`). */
  readonly yamlAliases: number;
  /** Values in the document, those behind YAML aliases counted each time. */
  readonly values: number;
  readonly steps: number;
  /** Variables in a step's environment, the task's among them. */
  readonly variables: number;
  /** UTF-16 units of a step's cmd or build: what Linux takes as one argument. */
  readonly commandLength: number;
}

export const defaultLimits: Limits = {
  bytes: 256 * 1024,
  renderedLength: 512 * 1024,
  tokens: 50_000,
  depth: 32,
  yamlAliases: 100,
  values: 100_000,
  steps: 200,
  variables: 1000,
  commandLength: 128 * 1024,
};
