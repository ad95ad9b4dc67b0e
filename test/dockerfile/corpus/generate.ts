import type { CorpusCase } from './case.ts';

/** Draws numbers from a seed, the same ones each time (mulberry32). */
class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  /** A whole number from 0 up to, but without, `end`. */
  below(end: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  pick<T>(all: readonly [T, ...T[]]): T {
    return all[this.below(all.length)] ?? all[0];
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}

const names = ['node', 'team/go', 'a/b/c', 'x__y', 'build-base'] as const;
const tags = ['1', '20', '3.18', 'v1.2-slim', 'Edge'] as const;
const values = ['1', 'v2.3.4', 'a-b-c', 'slim', ''] as const;
const patterns = ['*-', '?', 'v', '.*', '-*', '*', 'b'] as const;
const platforms = ['linux/s390x', '$BUILDPLATFORM', '$TARGETPLATFORM', 'linux/arm64', '${P:-linux/ppc64le}'] as const;
const triggers = ['COPY f /t', 'ENV T=1', 'LABEL t=1'] as const;

/** Writes one Dockerfile. */
class Writer {
  since = 20;
  private readonly dice: Dice;
  private readonly lines: string[] = [];
  private readonly stages: { readonly name?: string; readonly isEmpty: boolean }[] = [];
  private readonly triggers: Record<string, readonly string[]> = {};
  private readonly given: Record<string, string> = {};
  private places = 0;
  /** The name of the stage that is being written. */
  private own: string | undefined;
  private readonly escape: string;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.escape = this.dice.once(6) ? '`' : '\\';
  }

  write(name: string): CorpusCase {
    const { dice } = this;
    if (this.escape === '`') this.lines.push('# escape=`');
    if (dice.once(3)) this.lines.push('# a comment, and no directive');
    for (let count = dice.below(5); count > 0; count -= 1) this.writeArgument();
    for (let count = 1 + dice.below(5); count > 0; count -= 1) this.writeStage();
    const named = this.stages.flatMap((stage) => stage.name ?? []);
    const target = named.length > 0 && dice.once(4) ? dice.pick(named as [string]) : undefined;
    const end = dice.once(5) ? '\r\n' : '\n';
    const text = `${dice.once(8) ? '\uFEFF' : ''}${this.lines.join('\n')}\n`.replaceAll('\n', end);
    return {
      ...{ name, text, arguments: this.given, triggers: this.triggers },
      ...(target !== undefined && { target: dice.once(2) ? target.toUpperCase() : target }),
      ...(dice.once(4) && { platform: dice.pick(['linux/arm64', 'linux/s390x', 'linux/arm/v7']) }),
      ...(this.since > 20 && { since: this.since }),
    };
  }

  private writeArgument(): void {
    const { dice } = this;
    const name = dice.pick(['A', 'B_1', 'tag', 'C']);
    const value = dice.once(3) ? this.substitution() : dice.pick(values);
    const quote = dice.pick(['', '', '"', "'"]);
    if (dice.once(6)) this.lines.push('ARG D');
    else this.lines.push(`${this.word('ARG')} ${name}=${quote}${value}${quote}`);
    if (dice.once(4)) this.given[name] = dice.pick(['given', '9.9', '']);
  }

  /** A variable in some form, not always one that has a value. */
  private substitution(): string {
    const { dice } = this;
    const name = dice.pick(['A', 'B_1', 'tag', 'C', 'NONE', 'TARGETARCH']);
    const word = dice.once(3) ? `\${${dice.pick(['A', 'NONE'])}:-w}` : dice.pick(['w', '"q"', '2.0']);
    const form = dice.below(10);
    if (form > 5) this.since = Math.max(this.since, 26);
    if (form === 0) return `$${name}`;
    if (form < 3) return `\${${name}:-${word}}`;
    if (form === 3) return `\${${name}:+${word}}`;
    if (form < 6) return `\${${name}}`;
    if (form === 6) return `\${${name}${dice.pick(['-', '+'])}${word}}`;
    if (form < 9) return `\${${name}${dice.pick(['#', '##', '%', '%%'])}${dice.pick(patterns)}}`;
    return `\${${name}${dice.pick(['/', '//'])}${dice.pick(patterns)}/${dice.pick(['', 'r', '-'])}}`;
  }

  private image(): string {
    const { dice } = this;
    const name = `${dice.pick(['REG/', 'REG/', 'REG/', 'LOCAL/'])}${dice.pick(names)}`;
    return dice.once(5) ? name : `${name}:${dice.pick(tags)}`;
  }

  private word(keyword: string): string {
    return this.dice.pick([
      keyword,
      keyword,
      keyword.toLowerCase(),
      keyword.charAt(0) + keyword.slice(1).toLowerCase(),
    ]);
  }

  /** The space between two words. */
  private gap(): string {
    return this.dice.pick([' ', ' ', ' ', '  ', '\t', ` ${this.escape}\n`, ` ${this.escape}\n  # between\n\n  `]);
  }

  private writeStage(): void {
    const { dice, stages } = this;
    const name = dice.once(3) ? undefined : dice.pick(['build', 'deps', 'x', `s${stages.length}`, 'node']);
    this.own = name;
    const parent = stages.findLast((stage) => stage.name !== undefined && stage.name !== '');
    const kind = dice.below(8);
    const isEmpty = kind === 0;
    let base = 'scratch';
    if (!isEmpty) base = kind < 3 && parent?.name !== undefined ? parent.name : this.base();
    const platform = !isEmpty && dice.once(5) ? `${this.gap()}--platform=${dice.pick(platforms)}` : '';
    const as = name === undefined ? '' : `${this.gap()}${this.word('AS')}${this.gap()}${this.mangle(name)}`;
    this.lines.push(`${this.word('FROM')}${platform}${this.gap()}${base}${as}`);
    if (isEmpty) this.lines.push('COPY f /f');
    for (let count = dice.below(4); count > 0; count -= 1) this.writeInstruction();
    stages.push({ ...(name !== undefined && { name }), isEmpty });
  }

  private mangle(name: string): string {
    return this.dice.pick([name, name, name.toUpperCase(), name.charAt(0).toUpperCase() + name.slice(1)]);
  }

  private base(): string {
    const { dice } = this;
    if (dice.once(6)) {
      const name = dice.pick(['on:1', 'on:2']);
      this.triggers[name] ??= [dice.pick(triggers), dice.pick(triggers)];
      return `REG/${name}`;
    }
    if (dice.once(8)) return 'REG/pinned:1@<pinned:1>';
    if (!dice.once(3)) return this.image();
    return `${dice.pick(['REG/', 'REG/'])}${dice.pick(names)}:t${this.substitution()}`;
  }

  private source(): string {
    const { dice, stages } = this;
    const at = dice.below(stages.length + 1);
    const stage = stages[at];
    if (stage === undefined || dice.once(3)) return this.image();
    return stage.name !== undefined && stage.name !== this.own && dice.once(2) ? this.mangle(stage.name) : String(at);
  }

  private writeInstruction(): void {
    const { dice, lines } = this;
    this.places += 1;
    const place = `/o${this.places}`;
    const kind = dice.below(9);
    if (kind < 3)
      lines.push(`${this.word('COPY')}${this.gap()}--from=${this.source()}${this.gap()}/f${this.gap()}${place}`);
    else if (kind === 3) lines.push(`LABEL l=1${this.gap()}m="FROM REG/no:1"`);
    else if (kind === 4) lines.push(`ARG A=stage`, `ENV E=$A`);
    else if (kind === 5) lines.push('# COPY --from=REG/no:1 / /', '', 'USER 1');
    else if (kind === 6) lines.push('ONBUILD LABEL o=1');
    else if (kind === 7) this.writeHeredoc(place);
    else lines.push(`COPY${this.gap()}f${this.gap()}${place}`);
  }

  private writeHeredoc(place: string): void {
    const { dice, lines } = this;
    this.since = Math.max(this.since, 23);
    const [begin, end] = dice.pick([
      ['<<EOF', 'EOF'],
      ['<<-E', '\tE'],
      ['<<"XY"', 'XY'],
      ["<<'q'", 'q'],
    ]);
    lines.push(`COPY${this.gap()}${begin} ${place}`, 'FROM REG/no:1', `RUN x ${this.escape}`, end);
  }
}

/** So many Dockerfiles, the same ones each time: all that a target can reach, in forms that people write and in forms they do not. */
export function generateCases(count: number): readonly CorpusCase[] {
  return Array.from({ length: count }, (_, at) => new Writer(1000 + at).write(`generated: ${at}`));
}
