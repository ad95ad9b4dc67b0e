import type { ImageIdentity } from '../domain/dependencies.ts';
import { fail, toFailure } from '../domain/failure.ts';
import { formatImageIdentity, identifyImage, parseImageReference } from '../domain/image-reference.ts';
import { expandName } from './globals.ts';
import { parseInstruction, type Instruction } from './instructions.ts';
import { sourcesOf, type Source, type Stage, type StageIndex } from './stages.ts';
import { normalizePlatform } from './platform.ts';
import type { Scope } from './substitution.ts';

/** An image that a build reads. */
export interface BaseReference {
  readonly image: ImageIdentity;
  /** The name as the file has it, its variables filled in. */
  readonly text: string;
  /** Of a `FROM --platform`, its variables filled in, as `os/architecture[/variant]`. */
  readonly platform?: string;
  readonly use: 'from' | 'copy' | 'mount' | 'syntax';
  /** Where it is named first, from 1. Of a trigger in an image: the line of the `FROM` that sets it off. */
  readonly line: number;
}

/** Something that may name an image, and that could not be made out. */
export interface Unresolved {
  /** As written. */
  readonly text: string;
  readonly line: number;
  readonly why: string;
}

/** The `ONBUILD` triggers in an image's configuration. */
export type TriggersOf = (image: ImageIdentity) => readonly string[];

/** What a stage begins with; nothing for `scratch`, and for what cannot be made out. */
interface Base {
  readonly image?: BaseReference;
  readonly parent?: Stage;
}

/** Where and how an image is named. */
type Mention = Pick<BaseReference, 'use' | 'line' | 'platform'>;

/** Goes through the stages that a target reaches, and notes the images that they read. */
export class Walk {
  readonly unresolved: Unresolved[] = [];
  private readonly images = new Map<string, BaseReference>();
  private readonly bases = new Map<Stage, Base>();
  private readonly setOff = new Set<Stage | BaseReference>();
  private readonly stages: StageIndex;
  private readonly scope: Scope;
  private readonly triggersOf: TriggersOf;

  constructor(stages: StageIndex, scope: Scope, triggersOf: TriggersOf) {
    this.stages = stages;
    this.scope = scope;
    this.triggersOf = triggersOf;
  }

  /** Notes what a stage and all behind it read; returns the image that it begins with. */
  visit(target: Stage): BaseReference | undefined {
    const waiting: Stage[] = [target];
    for (let stage = waiting.pop(); stage !== undefined; stage = waiting.pop()) {
      if (this.bases.has(stage)) continue;
      const base = this.readBase(stage);
      this.bases.set(stage, base);
      if (base.parent !== undefined) waiting.push(base.parent);
      for (const source of [...this.triggersBehind(base, stage.from.line), ...stage.instructions].flatMap(sourcesOf)) {
        const found = this.readSource(source);
        if (found !== undefined) waiting.push(found);
      }
    }
    let base = this.bases.get(target);
    while (base?.parent !== undefined) base = this.bases.get(base.parent);
    return base?.image;
  }

  /** Every image that was noted, by the place where it is named. */
  all(): readonly BaseReference[] {
    return [...this.images.values()].sort((a, b) => a.line - b.line);
  }

  /** Says that something could not be made out. */
  note(text: string, line: number, error: unknown): void {
    this.unresolved.push({ text: text.slice(0, 300), line, why: toFailure(error).message });
  }

  /** Notes an image by its name; `scratch` is none. @throws `invalid-request` when it is no name. */
  add(text: string, mention: Mention): BaseReference | undefined {
    if (text === 'scratch') return undefined;
    const image = identifyImage(parseImageReference(text));
    const key = [formatImageIdentity(image), image.digest, mention.platform].join(' ');
    const reference = this.images.get(key) ?? { image, text, ...mention };
    this.images.set(key, reference);
    return reference;
  }

  private readBase(stage: Stage): Base {
    const { line, rest } = stage.from;
    try {
      if (stage.base === undefined) throw fail('invalid-request', 'FROM takes an image, or an image AS a name');
      const name = expandName(stage.base, this.scope);
      // BuildKit keeps the names of stages in lower case, and `FROM`, unlike `COPY --from`, looks for the name as it is written.
      const parent = name === name.toLowerCase() ? this.stages.named(name, stage) : undefined;
      if (parent !== undefined) return { parent };
      const platform = this.platformOf(stage);
      const image = this.add(name, { use: 'from', line, ...(platform !== undefined && { platform }) });
      return image === undefined ? {} : { image };
    } catch (error) {
      this.note(rest, line, error);
      return {};
    }
  }

  private platformOf({ platform }: Stage): string | undefined {
    if (platform === undefined) return undefined;
    return normalizePlatform(expandName(platform, this.scope), this.scope.valueOf('BUILDARCH'));
  }

  /** What a base keeps for the stages that begin with it. Whichever stage sets it off, it reads the same: once is enough. */
  private triggersBehind({ image, parent }: Base, line: number): readonly Instruction[] {
    const base = image ?? parent;
    if (base === undefined || this.setOff.has(base)) return [];
    this.setOff.add(base);
    if (parent !== undefined) return parent.triggers;
    return image === undefined ? [] : this.triggersOf(image.image).map((text) => parseInstruction(text, line));
  }

  /** The stage that a source is, if it is one; an image is noted. */
  private readSource(source: Source): Stage | undefined {
    try {
      const stage = this.stages.meant(source);
      if (stage !== undefined) return stage;
      if (source.name.includes('$')) {
        throw fail('invalid-request', 'variables are not filled in here: give the image a stage of its own with FROM');
      }
      this.add(source.name, { use: source.use, line: source.line });
    } catch (error) {
      this.note(source.name, source.line, error);
    }
    return undefined;
  }
}
