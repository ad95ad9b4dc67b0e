import { isFields, textIn, type CheckedImage, type Fields } from './documents.ts';
import type { Effects } from './effects.ts';
import { refuse } from './refusal.ts';
import { isSame, nextSettings, readEnv, traces } from './settings.ts';

/** What goes into an exchange. */
interface Parts {
  readonly oldBase: CheckedImage;
  readonly newBase: CheckedImage;
  readonly image: CheckedImage;
  readonly effects: Effects;
}

/** Members of a configuration that are exchanged or passed on, and those that tell of a single build and are left out. */
const passedOn = ['architecture', 'os', 'variant', 'author', 'config', 'created', 'history', 'rootfs'];
const leftOut = ['container', 'container_config', 'docker_version', 'id', 'parent', 'throwaway'];

function checkMembers({ document }: CheckedImage, what: string): void {
  const isKnown = (name: string): boolean =>
    passedOn.includes(name) || leftOut.includes(name) || name.startsWith('moby.buildkit.');
  const other = Object.keys(document).find((name) => !isKnown(name));
  if (other !== undefined) refuse(`the configuration of ${what} has the member ${other.slice(0, 60)}`);
}

function checkLayers({ oldBase, image }: Parts): void {
  const isOnBase = oldBase.diffIds.every((id, index) => image.diffIds[index] === id);
  if (!isOnBase) refuse('the image does not begin with the layers of the base that it was built on');
}

/** The keyword of the instruction that an entry of the history was made by; both builders name it, each in its way. */
function keywordOf(entry: Fields): string {
  const text = textIn(entry, 'created_by') ?? '';
  return (/#\(nop\)\s+([A-Z]+)\b/.exec(text) ?? /^([A-Z]+)\b/.exec(text))?.[1]?.toLowerCase() ?? '';
}

/** The image must have been made by these very instructions: its history says so, one entry for each. */
function checkHistory({ oldBase, image, effects }: Parts, givenLabels: readonly string[]): void {
  const isOnBase = oldBase.history.every((entry, index) => isSame(entry, image.history[index]));
  if (!isOnBase) refuse('the image does not begin with the history of the base that it was built on');
  const own = image.history.slice(oldBase.history.length);
  const keywords = own.map(keywordOf);
  const wanted = effects.done.map(({ keyword }) => keyword);
  // Labels that are given to the classic builder become instructions of their own, behind the others.
  const most = wanted.length + givenLabels.length;
  while (keywords.length > wanted.length && keywords.length <= most && keywords.at(-1) === 'label') keywords.pop();
  if (!isSame(keywords, wanted)) refuse('the image was made by other instructions than those of the Dockerfile');
  const layers = own.filter((entry) => entry['empty_layer'] !== true).length;
  if (layers !== image.diffIds.length - oldBase.diffIds.length) refuse('the history of the image misses layers');
}

function without(value: unknown, names: ReadonlySet<string>): unknown {
  return isFields(value) ? Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name))) : value;
}

/** What the Dockerfile makes of the old base must be the image, or it is not understood here. */
function checkReplay({ oldBase, image, effects }: Parts, givenLabels: readonly string[]): void {
  const replayed = nextSettings(effects, oldBase, image);
  const given = new Set(givenLabels);
  const found = Object.keys(image.settings).filter((name) => !traces.has(name));
  for (const name of new Set([...Object.keys(replayed), ...found])) {
    const [wanted, own] =
      name === 'Labels'
        ? [without(replayed[name], given), without(image.settings[name], given)]
        : [replayed[name], image.settings[name]];
    if (!isSame(wanted, own)) refuse(`${name} of the image is not what the Dockerfile makes of its old base`);
  }
  const env = readEnv(image.settings);
  for (const [name, value] of effects.env) {
    if (env.get(name) !== value) refuse(`Env of the image is not what the Dockerfile makes of its old base`);
  }
  for (const [name, value] of effects.labels) {
    const isOther = !given.has(name) && (replayed['Labels'] as Fields | undefined)?.[name] !== value;
    if (isOther) refuse('Labels of the image are not what the Dockerfile makes of its old base');
  }
}

/**
 * Makes sure that the image is what the instructions have made of its old base, as far as its documents tell: nothing is exchanged that is
 * not understood to the last field.
 * @throws Refusal
 */
export function checkOrigin(parts: Parts, givenLabels: readonly string[]): void {
  for (const [one, what] of [
    [parts.image, 'the image'],
    [parts.newBase, 'the new base'],
  ] as const) {
    checkMembers(one, what);
  }
  checkLayers(parts);
  checkHistory(parts, givenLabels);
  checkReplay(parts, givenLabels);
}
