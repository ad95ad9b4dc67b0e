/** What an operator lets one run have of its container engine. */
export interface RunLimits {
  /** Processors, parts of one too; undefined: all that the engine has. A run's own wish (`agentConfiguration.cpu`) goes before it. */
  readonly cpus: number | undefined;
  /** Bytes of memory; `none`: as much as there is; undefined: nine tenths of the engine's. */
  readonly memoryBytes: number | 'none' | undefined;
  /** Processes and threads. */
  readonly pids: number;
}

/** Nine tenths of the engine's memory, all of its processors, and far more processes than builds need. */
export const usualRunLimits: RunLimits = { cpus: undefined, memoryBytes: undefined, pids: 16_384 };
