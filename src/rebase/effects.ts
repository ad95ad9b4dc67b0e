import { createBudget } from '../dockerfile/budget.ts';
import type { Instruction } from '../dockerfile/instructions.ts';
import { substitute, type Scope } from '../dockerfile/substitution.ts';
import { splitWords } from '../dockerfile/words.ts';
import type { Chain } from './chain.ts';
import { checkCopy, readList, splitSpaces } from './instruction-words.ts';
import { refuse } from './refusal.ts';

/** A place in the image that an instruction writes to. */
export interface Destination {
  readonly line: number;
  /** Absolute, without a slash at its end; empty for the root. */
  readonly path: string;
  /** `directory`: it is made where there is none, and nothing is put into it. */
  readonly kind: 'copy' | 'directory';
}

/** What the instructions of a chain do to the image that they begin with. */
export interface Effects {
  /** The instructions, with the words in them after their variables were filled in. */
  readonly done: readonly { readonly keyword: string; readonly line: number; readonly words: readonly string[] }[];
  /** In the order in which they were set first. */
  readonly env: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: ReadonlySet<string>;
  readonly volumes: ReadonlySet<string>;
  /** Fields of the configuration with a single value that were set: `Cmd`, `User`. */
  readonly set: ReadonlySet<string>;
  readonly user: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly author: string | undefined;
  readonly destinations: readonly Destination[];
  /** True when a command stands without brackets behind no SHELL of the chain itself: the base's shell is put in front of it. */
  readonly usesShell: boolean;
}

/** What the base gives to the instructions. */
export interface Ground {
  readonly env: ReadonlyMap<string, string>;
  readonly workingDirectory: string;
  readonly user: string;
}

/** Characters and comparisons that the variables of one chain may cost. */
const maxWork = 4_000_000;

function joinPath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.map((part) => `/${part}`).join('');
}

type Handler = (one: Instruction) => readonly string[];

/** Follows the instructions, one after the other. */
class Follower {
  readonly done: { keyword: string; line: number; words: readonly string[] }[] = [];
  readonly env = new Map<string, string>();
  readonly labels = new Map<string, string>();
  readonly ports = new Set<string>();
  readonly volumes = new Set<string>();
  readonly set = new Set<string>();
  readonly destinations: Destination[] = [];
  user: string | undefined;
  workingDirectory: string | undefined;
  author: string | undefined;
  usesShell = false;
  private readonly chain: Chain;
  private readonly ground: Ground;
  private readonly budget = createBudget(maxWork);
  private readonly pastArguments = new Set<string>();
  private ownArguments = new Map<string, string | undefined>();

  constructor(chain: Chain, ground: Ground) {
    this.chain = chain;
    this.ground = ground;
  }

  follow(): void {
    for (const stage of this.chain.stages) {
      for (const name of this.ownArguments.keys()) this.pastArguments.add(name);
      this.ownArguments = new Map();
      for (const one of stage) this.take(one);
    }
  }

  private take(one: Instruction): void {
    const handler = Object.hasOwn(this.handlers, one.keyword) ? this.handlers[one.keyword] : undefined;
    if (handler === undefined) {
      const keyword = one.keyword.slice(0, 40).toUpperCase();
      return refuse(`line ${one.line} of the Dockerfile is a ${keyword}, whose result can depend on the base`);
    }
    const allowsFlags = one.keyword === 'copy' || one.keyword === 'add' || one.keyword === 'healthcheck';
    if (!allowsFlags && one.flags.length > 0) refuse(`line ${one.line} of the Dockerfile has flags that are not known`);
    const words = handler(one);
    this.done.push({ keyword: one.keyword, line: one.line, words });
  }

  /** `ENV` goes before `ARG`, and that of the image before all (Dockerfile reference, "Using ARG variables"). */
  private valueOf(name: string): string | undefined {
    const value = this.env.get(name) ?? this.ground.env.get(name);
    if (value !== undefined) return value;
    if (!this.ownArguments.has(name) && this.pastArguments.has(name)) {
      refuse(`the Dockerfile uses ${name}, an argument of an earlier stage: builders differ in what that means`);
    }
    return this.ownArguments.get(name);
  }

  private expand(word: string): string {
    const scope: Scope = { valueOf: (name) => this.valueOf(name), escape: this.chain.escape, budget: this.budget };
    return substitute(word, scope);
  }

  private expandAll(words: readonly string[]): readonly string[] {
    return words.map((word) => this.expand(word));
  }

  /** `NAME=value …`, or `NAME value` of one. All are filled in before any is set. */
  private pairs({ rest, line }: Instruction): readonly (readonly [string, string])[] {
    const { words, isClosed } = splitWords(rest, this.chain.escape);
    const [first = ''] = words;
    if (first === '' || !isClosed) return refuse(`line ${line} of the Dockerfile makes no sense`);
    if (!first.includes('=')) return [[this.expand(first), this.expand(rest.slice(first.length).trim())]];
    return words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) return refuse(`line ${line} of the Dockerfile makes no sense`);
      return [this.expand(word.slice(0, at)), this.expand(word.slice(at + 1))];
    });
  }

  private setPairs(one: Instruction, into: Map<string, string>): readonly string[] {
    const pairs = this.pairs(one);
    for (const [name, value] of pairs) into.set(name, value);
    return pairs.flat();
  }

  private declare({ rest, line }: Instruction): readonly string[] {
    const { words } = splitWords(rest, this.chain.escape);
    return words.map((word) => {
      const at = word.indexOf('=');
      const name = at < 0 ? word : word.slice(0, at);
      if (this.ownArguments.has(name)) refuse(`line ${line} of the Dockerfile declares ${name} a second time`);
      const { given, globals } = this.chain;
      const otherwise = at < 0 ? globals.valueOf(name) : this.expand(word.slice(at + 1));
      const value = Object.hasOwn(given, name) ? given[name] : otherwise;
      this.ownArguments.set(name, value);
      return `${name}=${value ?? ''}`;
    });
  }

  private write(one: Instruction): readonly string[] {
    const words = this.expandAll(checkCopy(one));
    const directory = this.workingDirectory ?? this.ground.workingDirectory;
    this.destinations.push({ line: one.line, path: joinPath(directory, words.at(-1) ?? ''), kind: 'copy' });
    // A source that is not there yet can come to be an address by its variables.
    checkCopy({ ...one, rest: JSON.stringify(words) });
    return words;
  }

  private enter({ rest, line }: Instruction): readonly string[] {
    const path = joinPath(this.workingDirectory ?? this.ground.workingDirectory, this.expand(rest));
    const user = this.user ?? this.ground.user;
    if (!/^(?:|root|[0-9]+)(?::(?:root|[0-9]+))?$/.test(user)) {
      refuse(`line ${line} of the Dockerfile makes a directory for ${user.slice(0, 60)}, whose number is the base's`);
    }
    this.workingDirectory = path === '' ? '/' : path;
    this.set.add('WorkingDir');
    if (path !== '') this.destinations.push({ line, path, kind: 'directory' });
    return [this.workingDirectory];
  }

  private expose({ rest, line }: Instruction): readonly string[] {
    const ports = this.expandAll(splitSpaces(rest)).map((port) => {
      const [, number, protocol = 'tcp'] = /^([0-9]{1,5})(?:\/([a-zA-Z]{1,8}))?$/.exec(port) ?? [];
      if (number === undefined) return refuse(`line ${line} of the Dockerfile exposes more than single ports`);
      return `${number}/${protocol.toLowerCase()}`;
    });
    for (const port of ports) this.ports.add(port);
    return ports;
  }

  private command(field: string): Handler {
    return ({ rest }) => {
      this.set.add(field);
      if (readList(rest) === undefined && !this.set.has('Shell')) this.usesShell = true;
      return [rest];
    };
  }

  private readonly handlers: Readonly<Record<string, Handler>> = {
    arg: (one) => this.declare(one),
    env: (one) => this.setPairs(one, this.env),
    label: (one) => this.setPairs(one, this.labels),
    copy: (one) => this.write(one),
    add: (one) => this.write(one),
    workdir: (one) => this.enter(one),
    expose: (one) => this.expose(one),
    volume: ({ rest }) => {
      const volumes = this.expandAll(readList(rest) ?? splitSpaces(rest));
      for (const volume of volumes) this.volumes.add(volume);
      return volumes;
    },
    user: ({ rest }) => {
      this.user = this.expand(rest);
      this.set.add('User');
      return [this.user];
    },
    stopsignal: ({ rest }) => {
      this.set.add('StopSignal');
      return [this.expand(rest)];
    },
    maintainer: ({ rest }) => {
      this.author = rest;
      return [rest];
    },
    shell: ({ rest, line }) => {
      this.set.add('Shell');
      return readList(rest) ?? refuse(`line ${line} of the Dockerfile is a SHELL without brackets`);
    },
    healthcheck: ({ flags, rest }) => {
      const [, command = ''] = /^cmd\s+(.*)$/is.exec(rest) ?? [];
      this.set.add('Healthcheck');
      // `CMD` without brackets is kept as it is, for whatever shell the image has when it runs.
      return [...flags, command];
    },
    cmd: (one) => this.command('Cmd')(one),
    entrypoint: (one) => this.command('Entrypoint')(one),
  };
}

/**
 * What the instructions of a chain do on a ground.
 * @throws Refusal for an instruction whose result cannot be told without building; `invalid-request` for words that make no sense.
 */
export function followChain(chain: Chain, ground: Ground): Effects {
  const follower = new Follower(chain, ground);
  follower.follow();
  return follower;
}
