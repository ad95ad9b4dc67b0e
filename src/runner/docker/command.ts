import type { CmdStep } from '../../domain/step.ts';
import type { StepImage } from './step-image.ts';

/** What a container runs, as the Engine API has it: what is left out comes from the image. */
export interface Command {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
}

/** A word as a shell takes it literally. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The words that a script's first arguments belong to; an image's own command counts only where neither has any. */
function leadingWords(step: CmdStep, image: StepImage): readonly string[] {
  const isReplaced = step.entryPoint !== undefined;
  const entryPoint = isReplaced ? [step.entryPoint] : image.entryPoint;
  return step.arguments.length > 0 || isReplaced ? entryPoint : [...entryPoint, ...image.command];
}

/** The command of a step's container. What only a shell can do is done by the one of the image. */
export function commandOf(step: CmdStep, image: StepImage): Command {
  const { shell } = step;
  if (shell) {
    const words = shell.startsWithEntryPoint ? leadingWords(step, image) : [];
    const script = [...words.map(quote), shell.script].join(' ');
    return { Entrypoint: ['/bin/sh', '-c'], Cmd: [script] };
  }
  return {
    ...(step.entryPoint !== undefined && { Entrypoint: [step.entryPoint] }),
    ...(step.arguments.length > 0 && { Cmd: step.arguments }),
  };
}
