import { nameOf, type RunScope } from '../scope.ts';
import { wrong } from './refusal.ts';

/** Names of things that steps make by the socket: what the engine calls them, and what the steps do. */
export interface RunNames {
  /** The engine's name for what a step calls `name`. @throws `invalid-request` for what is no name. */
  readonly toEngine: (name: string) => string;
  /** What the steps call a thing: their own name for it, or the task's name for what Slipway made for the run. */
  toStep(engineName: string): string;
  /**
   * True for a name that only this run gives. Labels alone do not prove that a container is the run's: the classic builder gives its own
   * containers the labels of the image that is built.
   */
  isOfRun(engineName: string): boolean;
  /** True for a name that {@link toEngine} gave. */
  isOfStep(engineName: string): boolean;
  /** Takes the run's prefix out of a message of the engine. */
  clean(message: string): string;
}

/** The engine's own rule for names of containers and volumes. */
const pattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** Gives each run names of its own on an engine that many share: no two runs meet in `docker run --name db`. */
export function createNames(scope: RunScope): RunNames {
  const runPrefix = `${nameOf(scope)}-`;
  const anyAttempt = runPrefix.replace(/[^-]*-$/, '');
  // Between dashes no step and no network of a task is called like this.
  const stepPrefix = `${runPrefix}..-`;
  return {
    toEngine: (name) => {
      const bare = name.replace(/^\//, '');
      if (!pattern.test(bare))
        throw wrong(`Invalid name (${name.slice(0, 100)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
      return `${stepPrefix}${bare}`;
    },
    toStep: (engineName) => {
      if (engineName.startsWith(stepPrefix)) return engineName.slice(stepPrefix.length);
      return engineName.startsWith(runPrefix) ? engineName.slice(runPrefix.length) : engineName;
    },
    isOfRun: (engineName) => /^\d+-/.test(engineName.slice(anyAttempt.length)) && engineName.startsWith(anyAttempt),
    isOfStep: (engineName) => engineName.startsWith(stepPrefix),
    clean: (message) => message.replaceAll(stepPrefix, '').replaceAll(runPrefix, ''),
  };
}
