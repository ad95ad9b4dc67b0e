import type { ImageIdentity } from '../domain/dependencies.ts';
import { toFailure } from '../domain/failure.ts';
import { formatImageIdentity } from '../domain/image-reference.ts';
import type { FileDependencies } from '../dockerfile/dependencies.ts';
import { readChain, type Recipe } from './chain.ts';
import { checkImage, fieldsIn, textIn, type CheckedImage, type ImageDocuments } from './documents.ts';
import { followChain, type Destination, type Effects } from './effects.ts';
import { checkOrigin } from './origin.ts';
import { refuse, Refusal } from './refusal.ts';
import { checkSettings, groundOf, isSame } from './settings.ts';

/**
 * The label by which a base image says of what line it is. Images of one line have the same layout and the same users, and what runs on
 * one runs on the others.
 */
export const lineLabel = 'dev.slipway.base-line';

/** An image that was built, and the base that it is to be put on. */
export interface RebaseQuestion {
  readonly recipe: Recipe;
  /** What the recipe reads. */
  readonly dependencies: Pick<FileDependencies, 'buildTime' | 'unresolved'>;
  /** The image that the target began with when `image` was built. */
  readonly oldBase: ImageDocuments;
  readonly newBase: ImageDocuments;
  /** What was built of the recipe. */
  readonly image: ImageDocuments;
  /** Labels that were given besides those of the Dockerfile: nothing is asked of them. */
  readonly givenLabels: readonly string[];
  /** Why an image that is read besides the base (by a stage that files are copied from) is not surely what it was; undefined: it is. */
  readonly doubtOf: (image: ImageIdentity) => string | undefined;
}

/** What can be exchanged. */
export interface Rebase {
  readonly oldBase: CheckedImage;
  readonly newBase: CheckedImage;
  readonly image: CheckedImage;
  readonly effects: Effects;
}

/**
 * `safe`: a rebuild on the new base would come to the same as exchanging the base's layers, if the two bases are laid out the same where
 * the instructions write (`destinations`; see `compareLayouts`).
 */
export type Verdict =
  | { readonly kind: 'safe'; readonly rebase: Rebase; readonly destinations: readonly Destination[] }
  /** `because` is for people and reads well behind "not rebased:". */
  | { readonly kind: 'unsafe'; readonly because: string };

function checkLine(oldBase: CheckedImage, newBase: CheckedImage): void {
  const lineOf = ({ settings }: CheckedImage): string => textIn(fieldsIn(settings, 'Labels'), lineLabel) ?? '';
  const [before, after] = [lineOf(oldBase), lineOf(newBase)];
  if (after === '' || before === '') {
    const which = after === '' ? 'the new base' : 'the old base';
    refuse(`${which} does not say of what line it is: set the label ${lineLabel} in its Dockerfile`);
  }
  if (before !== after) {
    refuse(
      `the new base is of the line "${after.slice(0, 80)}", the old one of "${before.slice(0, 80)}" (${lineLabel})`,
    );
  }
}

function checkPlatforms({ oldBase, newBase, image }: Omit<Rebase, 'effects'>): void {
  if (oldBase.platform === newBase.platform && newBase.platform === image.platform) return;
  refuse(`the new base is for ${newBase.platform}, the image for ${image.platform}`);
}

/** Images that are read besides the base: all of them must be what they were. */
function checkSources({ dependencies, doubtOf }: RebaseQuestion): void {
  const { buildTime, unresolved } = dependencies;
  const [open] = unresolved;
  if (open !== undefined) refuse(`line ${open.line} of the Dockerfile names an image that cannot be made out`);
  for (const { image } of buildTime) {
    const doubt = doubtOf(image);
    if (doubt !== undefined) refuse(`files come from ${formatImageIdentity(image)}, ${doubt}`);
  }
}

/** The variables of the Dockerfile must come to the same on both bases. */
function checkWords(before: Effects, after: Effects): void {
  before.done.forEach(({ line, words }, index) => {
    if (isSame(words, after.done[index]?.words)) return;
    refuse(`line ${line} of the Dockerfile uses the environment of the base, which has changed`);
  });
  if (!isSame(before.destinations, after.destinations)) {
    refuse('the Dockerfile uses the working directory of the base, which has changed');
  }
}

function checkShell(effects: Effects, oldBase: CheckedImage, newBase: CheckedImage): void {
  if (!effects.usesShell || isSame(oldBase.settings['Shell'], newBase.settings['Shell'])) return;
  refuse('a command of the Dockerfile uses the shell of the base, which has changed');
}

/** Some builders add a search path where the base has none. */
function checkPath(oldBase: CheckedImage, newBase: CheckedImage): void {
  const [before, after] = [groundOf(oldBase).env.has('PATH'), groundOf(newBase).env.has('PATH')];
  if (before !== after) refuse('only one of the bases has a PATH');
}

function read(question: RebaseQuestion): { readonly rebase: Rebase; readonly destinations: readonly Destination[] } {
  const oldBase = checkImage(question.oldBase, 'the old base');
  const newBase = checkImage(question.newBase, 'the new base');
  const image = checkImage(question.image, 'the image');
  checkPlatforms({ oldBase, newBase, image });
  checkSettings(oldBase, 'the old base');
  checkSettings(newBase, 'the new base');
  const chain = readChain(question.recipe);
  const effects = followChain(chain, groundOf(oldBase));
  const after = followChain(chain, groundOf(newBase));
  checkLine(oldBase, newBase);
  checkWords(effects, after);
  checkSources(question);
  checkShell(effects, oldBase, newBase);
  checkPath(oldBase, newBase);
  checkOrigin({ oldBase, newBase, image, effects }, question.givenLabels);
  return { rebase: { oldBase, newBase, image, effects }, destinations: after.destinations };
}

/**
 * Decides whether an image can be put on a new base without a build. What comes from registries and contexts may be anything; never throws.
 */
export function judge(question: RebaseQuestion): Verdict {
  try {
    return { kind: 'safe', ...read(question) };
  } catch (error) {
    const because = error instanceof Refusal ? error.message : toFailure(error).message;
    return { kind: 'unsafe', because };
  }
}
