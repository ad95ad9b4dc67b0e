import { expandName, readGlobals, type GivenArguments } from '../dockerfile/globals.ts';
import { readInstructions, type Instruction } from '../dockerfile/instructions.ts';
import { indexStages, readStages, type Stage, type StageIndex } from '../dockerfile/stages.ts';
import type { Scope } from '../dockerfile/substitution.ts';
import { refuse } from './refusal.ts';

/** A Dockerfile and how it is built. */
export interface Recipe extends GivenArguments {
  readonly text: string;
}

/** The stages that a target is made of, as one: from the image that it begins with to the target itself. */
export interface Chain {
  readonly stages: readonly (readonly Instruction[])[];
  /** The file's escape character. */
  readonly escape: string;
  /** What the platform's arguments and those in front of the first `FROM` mean. */
  readonly globals: Scope;
  readonly given: Readonly<Record<string, string>>;
}

/** Stages that begin with each other: more than that nobody writes. */
const maxStages = 100;

function targetOf(stages: readonly Stage[], index: StageIndex, target: string | undefined): Stage {
  const stage = target === undefined ? stages.at(-1) : index.named(target);
  return stage ?? refuse(target === undefined ? 'the Dockerfile has no FROM' : 'the Dockerfile has no such target');
}

function checkStage(stage: Stage): void {
  const [trigger] = stage.triggers;
  if (trigger !== undefined) refuse(`line ${trigger.line} of the Dockerfile is an ONBUILD`);
  if (stage.base === undefined) refuse(`line ${stage.from.line} of the Dockerfile is a FROM that makes no sense`);
}

/**
 * Reads the stages that the target of a Dockerfile is made of. A front end of another kind may read the file by rules of its own.
 * @throws Refusal, and `invalid-request` where a name cannot be made out.
 */
export function readChain({ text, ...given }: Recipe): Chain {
  const file = readInstructions(text);
  const named = Object.hasOwn(given.arguments, 'BUILDKIT_SYNTAX') ? given.arguments['BUILDKIT_SYNTAX'] : undefined;
  const syntax = named ?? file.syntax?.image;
  if (syntax !== undefined && !/(?:^|\/)docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(syntax)) {
    refuse(`the Dockerfile is read by a front end of its own, ${syntax.slice(0, 200)}`);
  }
  const { globals, stages } = readStages(file);
  const scope = readGlobals(globals, given, file.escape);
  const index = indexStages(stages);
  const chain: (readonly Instruction[])[] = [];
  for (let stage: Stage | undefined = targetOf(stages, index, given.target); stage !== undefined;) {
    checkStage(stage);
    if (chain.length === maxStages) refuse('the Dockerfile has too many stages that begin with each other');
    chain.unshift(stage.instructions);
    stage = index.named(expandName(stage.base ?? '', scope), stage);
  }
  return { stages: chain, escape: file.escape, globals: scope, given: given.arguments };
}
