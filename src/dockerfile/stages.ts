import { fail } from '../domain/failure.ts';
import { parseInstruction, type DockerfileText, type Instruction } from './instructions.ts';
import { flagValue, splitFields, splitWords } from './words.ts';

/** One `FROM` and what follows it up to the next. */
export interface Stage {
  /** Its place among the stages, from 0. */
  readonly index: number;
  /** In lower case: names of stages do not tell cases apart. */
  readonly name?: string;
  /** As written, with variables; undefined when the `FROM` makes no sense. */
  readonly base?: string;
  /** The value of `--platform`, as written. */
  readonly platform?: string;
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
  /** What its `ONBUILD` lines keep for the stages that begin with it. */
  readonly triggers: readonly Instruction[];
}

/** Something besides its base that a stage reads. */
export interface Source {
  readonly use: 'copy' | 'mount';
  /** The name or number of a stage, or the name of an image; variables are not filled in here. */
  readonly name: string;
  readonly line: number;
}

/** A file, cut at its `FROM`s. */
export interface StagedFile {
  /** `ARG`s in front of the first stage, each as `NAME` or `NAME=value`. */
  readonly globals: readonly string[];
  readonly stages: readonly Stage[];
}

function parseFrom(from: Instruction): Pick<Stage, 'base' | 'name' | 'platform'> {
  const [base, as, name, ...more] = from.rest.split(/\s+/).filter((word) => word !== '');
  const isNamed = as?.toLowerCase() === 'as' && name !== undefined && more.length === 0;
  if (base === undefined || (as !== undefined && !isNamed)) return {};
  const platform = flagValue(from.flags, 'platform');
  return { base, ...(isNamed && { name: name.toLowerCase() }), ...(platform !== undefined && { platform }) };
}

/** Cuts a file into its stages. */
export function readStages({ instructions, escape }: DockerfileText): StagedFile {
  const globals: string[] = [];
  const stages: (Stage & { readonly instructions: Instruction[]; readonly triggers: Instruction[] })[] = [];
  for (const one of instructions) {
    const stage = stages.at(-1);
    if (one.keyword === 'from') {
      stages.push({ ...parseFrom(one), index: stages.length, from: one, instructions: [], triggers: [] });
    } else if (stage === undefined) {
      if (one.keyword === 'arg') globals.push(...splitWords(one.rest, escape).words);
    } else if (one.keyword === 'onbuild') {
      stage.triggers.push(parseInstruction(one.rest, one.line));
    } else {
      stage.instructions.push(one);
    }
  }
  return { globals, stages };
}

/** The `from` of a `--mount`: its fields are one line of CSV. */
function mountSource(flag: string): readonly string[] {
  const fields = splitFields(flag.slice('--mount='.length));
  const from = fields.findLast((field) => /^from=/i.test(field.trim()))?.trim();
  return from === undefined || from === 'from=' ? [] : [from.slice('from='.length)];
}

/** What an instruction reads besides the stage that it stands in. */
export function sourcesOf({ keyword, flags, line }: Instruction): readonly Source[] {
  if (keyword === 'copy' || keyword === 'add') {
    const name = flagValue(flags, 'from');
    return name === undefined || name === '' ? [] : [{ use: 'copy', name, line }];
  }
  if (keyword !== 'run') return [];
  const mounts = flags.filter((flag) => flag.startsWith('--mount='));
  return mounts.flatMap(mountSource).map((name) => ({ use: 'mount', name, line }));
}

/** Finds stages by their names. */
export interface StageIndex {
  /** The last stage of that name, above the stage `above` where that is given. */
  named(name: string, above?: Stage): Stage | undefined;
  /**
   * The stage that a source means. `COPY` knows stages by number too; a mount, like `FROM`, only by name. Undefined: it is an image.
   * @throws `invalid-request` for a number that no stage has.
   */
  meant(source: Source): Stage | undefined;
}

/** The last of ascending stages that stands above a place. */
function lastAbove(stages: readonly Stage[], place: number): Stage | undefined {
  let [low, high] = [0, stages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stages[middle]?.index ?? place) < place) low = middle + 1;
    else high = middle;
  }
  return stages[low - 1];
}

/** Makes the stages of a file findable, however many there are. */
export function indexStages(stages: readonly Stage[]): StageIndex {
  const byName = new Map<string, Stage[]>();
  for (const stage of stages) {
    if (stage.name === undefined) continue;
    const same = byName.get(stage.name);
    if (same === undefined) byName.set(stage.name, [stage]);
    else same.push(stage);
  }
  const named: StageIndex['named'] = (name, above) =>
    lastAbove(byName.get(name.toLowerCase()) ?? [], above?.index ?? stages.length);
  return {
    named,
    meant: ({ use, name }) => {
      if (use === 'mount' || !/^[+-]?[0-9]+$/.test(name)) return named(name);
      const stage = stages[Number(name)];
      if (stage !== undefined) return stage;
      throw fail('invalid-request', `there is no stage ${name}`);
    },
  };
}
