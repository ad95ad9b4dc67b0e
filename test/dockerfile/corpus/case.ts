import { readDependencies, type BaseReference } from '../../../src/dockerfile/dependencies.ts';
import type { ImageIdentity } from '../../../src/domain/dependencies.ts';

/** One Dockerfile and how it is built. */
export interface CorpusCase {
  /** Unlike that of any other case. */
  readonly name: string;
  /**
   * `REG/` stands for the registry of the test and a folder of this case's own, `LOCAL/` and `SHOUT/` for the same under the names
   * `localhost` and `LOCALHOST`; `<node:20>` for the digest of that image there.
   */
  readonly text: string;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  /** `ONBUILD` triggers of the images of the registry, by `name:tag`; `REG/` stands for the same as in the text. */
  readonly triggers?: Readonly<Record<string, readonly string[]>>;
  /** The first Docker Engine whose own front end reads the text in this way; not given: any with BuildKit. */
  readonly since?: number;
  /** What it stands on, sorted, for the engine's own platform: of a form that the recorded engine is too old for. */
  readonly expected?: readonly string[];
  /** Docker Hub is asked for some of it, so only an engine with a mirror can tell all. */
  readonly asksHub?: boolean;
  /** It names a front end of the registry, which is none: BuildKit gets no further than asking for it. */
  readonly asksFrontEnd?: boolean;
  /** BuildKit refuses the file for what has nothing to do with images, or stands where nothing reaches it; why we do not. */
  readonly lenient?: string;
}

/** What a Dockerfile was resolved to. */
export interface Resolved {
  /**
   * Every image, sorted: `name:tag platform` of the test's registry, `name:tag@ platform` where the digest was given, or the whole name
   * with the registry for one elsewhere.
   */
  readonly images: readonly string[];
  /** The image that the target begins with, `name:tag`; absent for none. */
  readonly runtime?: string;
  /** Why nothing came of it. */
  readonly refused?: string;
}

/** The registry as a case sees it. */
export interface Place {
  /** `127.0.0.1:5000` */
  readonly host: string;
  /** The folder of the case. */
  readonly folder: string;
  digestOf(name: string): string;
  /** The `name:tag` of a digest. */
  nameOf(digest: string): string | undefined;
}

/** The platform of the engines that the corpus was resolved on. */
export const enginePlatform = 'linux/amd64';

/** Puts the registry's address and digests into a text. */
export function fill(text: string, { host, folder, digestOf }: Place): string {
  const port = host.slice(host.indexOf(':'));
  return text
    .replaceAll('REG/', `${host}/${folder}/`)
    .replaceAll('LOCAL/', `localhost${port}/${folder}/`)
    .replaceAll('SHOUT/', `LOCALHOST${port}/${folder}/`)
    .replace(/<([a-z0-9/]+:[a-z0-9.]+)>/g, (_, name: string) => digestOf(name));
}

function describe(image: ImageIdentity, place: Place): string {
  const { repository, tag = 'latest', digest } = image;
  const port = place.host.slice(place.host.indexOf(':'));
  const isOurs = [place.host, `localhost${port}`].includes(image.registry);
  if (!isOurs || !repository.startsWith(`${place.folder}/`)) return `${image.registry}/${repository}:${tag}`;
  if (digest !== undefined) return `${place.nameOf(digest) ?? digest}@`;
  return `${repository.slice(place.folder.length + 1)}:${tag}`;
}

/** What our reader makes of a case, in the words of the corpus. */
export function readCase(one: CorpusCase, place: Place): Resolved {
  const { platform = enginePlatform, target, triggers = {} } = one;
  const triggersOf = (image: ImageIdentity): readonly string[] =>
    (triggers[describe(image, place)] ?? []).map((text) => fill(text, place));
  const given = Object.entries(one.arguments ?? {}).map(([name, value]) => [name, fill(value, place)]);
  const found = readDependencies(fill(one.text, place), {
    arguments: Object.fromEntries(given) as Record<string, string>,
    ...(target !== undefined && { target }),
    platform,
    buildPlatform: enginePlatform,
    triggersOf,
  });
  const name = ({ image, platform: own = platform }: BaseReference): string => {
    const text = describe(image, place);
    return text.startsWith('docker.io/') ? text : `${text} ${own}`;
  };
  const all = [...(found.runtime ? [found.runtime] : []), ...found.buildTime];
  const [first] = found.unresolved;
  return {
    images: [...new Set(all.map(name))].sort(),
    ...(found.runtime && { runtime: describe(found.runtime.image, place).replace(/@$/, '') }),
    ...(first && { refused: `line ${first.line}: ${first.why}` }),
  };
}
