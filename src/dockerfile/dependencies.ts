import { fail } from '../domain/failure.ts';
import { readGlobals, type GivenArguments } from './globals.ts';
import { readInstructions, type DockerfileText } from './instructions.ts';
import { indexStages, readStages, type Stage, type StageIndex } from './stages.ts';
import { Walk, type BaseReference, type TriggersOf, type Unresolved } from './walk.ts';

export type { BaseReference, Unresolved } from './walk.ts';

/** What the target of a Dockerfile stands on. Each image is named once for each platform. */
export interface FileDependencies {
  /** The image that the target begins with, through other stages; absent for `scratch`. */
  readonly runtime?: BaseReference;
  /** Every other image that building the target reads, by the line that names it. */
  readonly buildTime: readonly BaseReference[];
  readonly unresolved: readonly Unresolved[];
}

/** How a Dockerfile is built. `target` is a stage's name, the last stage when not given. */
export interface ReadOptions extends GivenArguments {
  /** Without it, images are taken to have no triggers. */
  readonly triggersOf?: TriggersOf;
}

function findTarget(stages: readonly Stage[], index: StageIndex, target: string | undefined): Stage {
  const stage = target === undefined ? stages.at(-1) : index.named(target);
  if (stage !== undefined) return stage;
  throw fail('invalid-request', target === undefined ? 'there is no FROM' : 'there is no such stage');
}

/** Notes the front end that reads the file; a build argument can name another one (BuildKit, "BUILDKIT_SYNTAX"). */
function addSyntax(walk: Walk, { syntax }: DockerfileText, given: Readonly<Record<string, string>>): void {
  const named = Object.hasOwn(given, 'BUILDKIT_SYNTAX') ? given['BUILDKIT_SYNTAX'] : undefined;
  const image = named ?? syntax?.image;
  if (image === undefined) return;
  const line = syntax?.line ?? 1;
  try {
    walk.add(image, { use: 'syntax', line });
  } catch (error) {
    walk.note(image, line, error);
  }
}

/**
 * Reads what the target of a Dockerfile stands on: the bases of every stage that it reaches, `COPY --from`, `RUN --mount=from=`, what
 * `ONBUILD` sets off, and the front end that `# syntax=` names. Takes time in proportion to the text, and never throws: what cannot be
 * made out is `unresolved`.
 */
export function readDependencies(text: string, options: ReadOptions): FileDependencies {
  const file = readInstructions(text);
  const { globals, stages } = readStages(file);
  const scope = readGlobals(globals, options, file.escape);
  const index = indexStages(stages);
  const walk = new Walk(index, scope, options.triggersOf ?? (() => []));
  let runtime: BaseReference | undefined;
  try {
    runtime = walk.visit(findTarget(stages, index, options.target));
  } catch (error) {
    walk.note(options.target ?? '', 1, error);
  }
  addSyntax(walk, file, options.arguments);
  if (file.openHeredoc !== undefined) {
    walk.note('<<', file.openHeredoc, fail('invalid-request', 'a heredoc that begins here has no end'));
  }
  const buildTime = walk.all().filter((image) => image !== runtime);
  return { ...(runtime && { runtime }), buildTime, unresolved: walk.unresolved };
}
