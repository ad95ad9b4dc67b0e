import type { Report } from '../diagnostic.ts';
import type { Limits } from '../limits.ts';
import type { EnvVariable, Network } from '../../domain/step.ts';
import type { stepKeys } from '../keys.ts';
import type { Fields } from '../yaml/fields.ts';

/** What a step's own reading needs to know of the task around it. */
export interface TaskScope {
  readonly report: Report;
  /** The rendered text, which offsets are into. */
  readonly text: string;
  readonly limits: Limits;
  /** The file's line of an offset. */
  readonly lineOf: (at: number) => number;
  /** Seconds for steps that say nothing. */
  readonly stepTimeout: number;
  readonly workingDirectory: string;
  /** The task's own variables and those handed in, for all steps. */
  readonly env: readonly TaskEnvItem[];
  readonly networks: readonly Network[];
  readonly defaultNetwork: string | undefined;
  /** The names of the declared volumes. */
  readonly volumeNames: readonly string[];
  /** Aliases for the first word of `cmd`; empty in versions without them. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** `NAME=value` of a whole task, and where it stands. */
export interface TaskEnvItem extends EnvVariable {
  readonly at: number;
}

/** A step's keys as they were read. */
export type StepFields = Fields<typeof stepKeys>;

/** One step while it is made, before the graph. */
export interface RawStep {
  readonly fields: StepFields;
  /** Where the step begins. */
  readonly at: number;
  readonly index: number;
  readonly id: string;
  /** A key that says what the step does is there, but cannot be read; that has been reported. */
  readonly isUnreadable: boolean;
}
