import type { OutputStream } from '../../domain/event.ts';
import type { Trace, Vertex, VertexLog, VertexStatus } from './buildkit-trace.ts';
import { createLineSplitter, type LineSplitter } from './lines.ts';
import { formatSeconds, formatTransfer, oneLine } from './progress-words.ts';

/** Where decoded lines go; `stream` is the step's own for its output, `system` for BuildKit's words. */
export type Emit = (stream: OutputStream, text: string) => void;

/** One instruction or other work of a build, after it. */
export interface BuiltVertex {
  readonly name: string;
  readonly cached: boolean;
  readonly seconds: number;
  readonly error?: string;
}

/** A base image that the build resolved: the reference as BuildKit writes it, and the digest it stood for. */
export interface BaseImage {
  readonly reference: string;
  readonly digest: string;
}

export interface BuildKitProgress {
  /** Takes one trace message; every line it completes is emitted before it returns. */
  write(trace: Trace): void;
  /** Emits what output had no line end; the build is over. */
  flush(): void;
  readonly vertices: readonly BuiltVertex[];
  readonly bases: readonly BaseImage[];
}

interface State {
  vertex: Vertex;
  /** The number in front of its lines; undefined while nothing of it was shown. */
  number?: number;
  /** True once its end was shown; what it does afterwards only counts when it takes time. */
  hasEnded: boolean;
  /** All its intervals of work together: BuildKit may take a vertex up more than once. */
  workedMs: number;
  readonly streams: Map<string, LineSplitter>;
  /** Time of the output that is being split right now. */
  logAt: number;
  /** By status id: when it was shown last, and whether it was shown as complete. */
  readonly shown: Map<string, { at: number; isDone: boolean }>;
}

/** Milliseconds between two lines about the same transfer. */
const transferPace = 1000;

/** BuildKit's own housekeeping, not worth a line unless something of it fails or may take the network. */
function isHidden(name: string): boolean {
  return name === 'copy /context /' || (name.startsWith('[internal] ') && !name.startsWith('[internal] load metadata'));
}

/** The image and digest in `[1/3] FROM docker.io/library/busybox:latest@sha256:…` or `resolve …@sha256:…`. */
function findBase(text: string): BaseImage | undefined {
  const found = /(?:\bFROM |^resolve )(\S+)@(sha256:[0-9a-f]{64})\b/.exec(text);
  return found?.[1] && found[2] ? { reference: found[1], digest: found[2] } : undefined;
}

function lastInterval({ startedAt, completedAt }: Vertex): number {
  return startedAt === undefined || completedAt === undefined ? 0 : Math.max(0, completedAt - startedAt);
}

function describeEnd(vertex: Vertex): string {
  if (vertex.error !== undefined && /context canceled/.test(vertex.error)) return 'CANCELED';
  if (vertex.error) return `ERROR: ${oneLine(vertex.error)}`;
  return vertex.cached ? 'CACHED' : `DONE ${formatSeconds(lastInterval(vertex))}s`;
}

function timeOf(status: VertexStatus): number {
  return status.completedAt ?? status.at ?? 0;
}

function describeStatus(status: VertexStatus, at: number): string {
  const transfer = formatTransfer(status.current, status.total);
  const seconds = status.startedAt === undefined ? '' : `${formatSeconds(at - status.startedAt)}s`;
  const isLayer = status.id.startsWith('sha256:');
  const words = [isLayer ? status.id.slice(0, 19) : oneLine(status.id), transfer, transfer && seconds];
  return [...words, status.completedAt !== undefined && 'done'].filter(Boolean).join(' ');
}

/** The state behind {@link createBuildKitProgress}. */
class Printer implements BuildKitProgress {
  private readonly states = new Map<string, State>();
  private readonly baseImages = new Map<string, BaseImage>();
  private readonly emit: Emit;
  private shownCount = 0;

  constructor(emit: Emit) {
    this.emit = emit;
  }

  get vertices(): readonly BuiltVertex[] {
    return [...this.states.values()].map(({ vertex: { name, cached, error }, workedMs }) => ({
      name,
      cached,
      seconds: workedMs / 1000,
      ...(error && { error }),
    }));
  }

  get bases(): readonly BaseImage[] {
    return [...this.baseImages.values()];
  }

  write(trace: Trace): void {
    const busy = new Set([...trace.statuses, ...trace.logs].map((part) => part.vertex));
    const ended = trace.vertices.filter((vertex) => vertex.completedAt !== undefined);
    for (const vertex of trace.vertices) {
      this.takeStart(vertex);
      if (ended.includes(vertex) && !busy.has(vertex.digest)) this.end(this.stateOf(vertex.digest));
    }
    for (const status of trace.statuses) this.takeStatus(status);
    for (const log of trace.logs) this.takeLog(log);
    for (const warning of trace.warnings) {
      this.say(this.stateOf(warning.vertex), 'system', `WARN: ${oneLine(warning.short)}`);
    }
    for (const vertex of ended) if (busy.has(vertex.digest)) this.end(this.stateOf(vertex.digest));
  }

  flush(): void {
    for (const { streams } of this.states.values()) for (const stream of streams.values()) stream.flush();
  }

  private stateOf(digest: string): State {
    const known = this.states.get(digest);
    if (known) return known;
    const vertex = { digest, name: '', cached: false };
    const state: State = { vertex, workedMs: 0, hasEnded: false, streams: new Map(), logAt: 0, shown: new Map() };
    this.states.set(digest, state);
    return state;
  }

  /** Emits a line of a vertex, after the line that names it. */
  private say(state: State, stream: OutputStream, text: string): void {
    this.announce(state);
    this.emit(stream, `#${state.number ?? 0} ${text}`.trimEnd());
  }

  private announce(state: State): void {
    if (state.number !== undefined) return;
    this.shownCount += 1;
    state.number = this.shownCount;
    this.emit('system', `#${state.number} ${oneLine(state.vertex.name)}`.trimEnd());
  }

  private takeStart(vertex: Vertex): void {
    const state = this.stateOf(vertex.digest);
    state.vertex = { ...state.vertex, ...vertex };
    this.noteBase(vertex.name);
    if (vertex.startedAt !== undefined && !isHidden(vertex.name)) this.announce(state);
  }

  private end(state: State): void {
    const { vertex } = state;
    for (const stream of state.streams.values()) stream.flush();
    const took = lastInterval(vertex);
    state.workedMs += took;
    const isNews = !state.hasEnded || took >= 100 || vertex.error !== undefined;
    state.hasEnded = true;
    if (isNews && (vertex.error !== undefined || !isHidden(vertex.name)))
      this.say(state, 'system', describeEnd(vertex));
  }

  private takeLog(log: VertexLog): void {
    const state = this.stateOf(log.vertex);
    state.logAt = log.at ?? state.logAt;
    const known = state.streams.get(log.stream);
    const stream = known ?? createLineSplitter((line) => this.sayOutput(state, log.stream, line));
    if (!known) state.streams.set(log.stream, stream);
    stream.write(log.bytes);
  }

  private sayOutput(state: State, stream: OutputStream, line: string): void {
    const seconds = Math.max(0, state.logAt - (state.vertex.startedAt ?? state.logAt)) / 1000;
    this.say(state, stream, `${seconds.toFixed(2)} ${line}`);
  }

  private takeStatus(status: VertexStatus): void {
    const state = this.stateOf(status.vertex);
    this.noteBase(status.id);
    const last = state.shown.get(status.id);
    if (isHidden(state.vertex.name) || last?.isDone === true) return;
    const at = timeOf(status);
    if (status.completedAt !== undefined) {
      state.shown.set(status.id, { at, isDone: true });
      this.say(state, 'system', describeStatus(status, at));
    } else if (last === undefined) {
      state.shown.set(status.id, { at, isDone: false });
    } else if (at - last.at >= transferPace && status.current > 0) {
      state.shown.set(status.id, { at, isDone: false });
      this.say(state, 'system', describeStatus(status, at));
    }
  }

  private noteBase(text: string): void {
    const base = findBase(text);
    if (base) this.baseImages.set(base.reference, base);
  }
}

/**
 * Turns BuildKit's traces into lines for people, in the manner of docker's plain progress: a number for each vertex, its name
 * when it starts, its output with the seconds since then, and how it ended. Pure: all times are those of the traces.
 */
export function createBuildKitProgress(emit: Emit): BuildKitProgress {
  return new Printer(emit);
}
