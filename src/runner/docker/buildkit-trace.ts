import { bytesOf, numberOf, readFields, textOf, type Field } from './protobuf.ts';

/** One node of a build as BuildKit reports it; sent again whenever something of it changes. Times: ms since the epoch. */
export interface Vertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly startedAt?: number;
  readonly completedAt?: number;
  readonly error?: string;
}

/** Progress of one thing inside a vertex: a layer that is pulled, an image that is named. */
export interface VertexStatus {
  readonly id: string;
  readonly vertex: string;
  readonly name: string;
  /** Bytes so far, and altogether; both 0 where it does not count bytes. */
  readonly current: number;
  readonly total: number;
  readonly at?: number;
  readonly startedAt?: number;
  readonly completedAt?: number;
}

/** A piece of a step's output, cut anywhere. */
export interface VertexLog {
  readonly vertex: string;
  readonly at?: number;
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** Something that the Dockerfile's reader found worth saying. */
export interface VertexWarning {
  readonly vertex: string;
  readonly short: string;
}

/** One message of the engine's `moby.buildkit.trace`: BuildKit's `StatusResponse`. */
export interface Trace {
  readonly vertices: readonly Vertex[];
  readonly statuses: readonly VertexStatus[];
  readonly logs: readonly VertexLog[];
  readonly warnings: readonly VertexWarning[];
}

/** A `google.protobuf.Timestamp` in milliseconds. */
function timeOf(field: Field): number {
  let ms = 0;
  for (const part of readFields(bytesOf(field))) {
    if (part.number === 1) ms += numberOf(part) * 1000;
    if (part.number === 2) ms += numberOf(part) / 1e6;
  }
  return ms;
}

type Setters<T> = Readonly<Record<number, (field: Field) => Partial<T>>>;

/** Decodes a message by a table from field number to what the field says; unknown fields are ignored. */
function decode<T>(bytes: Uint8Array, start: T, setters: Setters<T>): T {
  let value = start;
  for (const field of readFields(bytes)) value = { ...value, ...setters[field.number]?.(field) };
  return value;
}

const vertexFields: Setters<Vertex> = {
  1: (field) => ({ digest: textOf(field) }),
  3: (field) => ({ name: textOf(field) }),
  4: (field) => ({ cached: numberOf(field) !== 0 }),
  5: (field) => ({ startedAt: timeOf(field) }),
  6: (field) => ({ completedAt: timeOf(field) }),
  7: (field) => ({ error: textOf(field) }),
};

const statusFields: Setters<VertexStatus> = {
  1: (field) => ({ id: textOf(field) }),
  2: (field) => ({ vertex: textOf(field) }),
  3: (field) => ({ name: textOf(field) }),
  4: (field) => ({ current: numberOf(field) }),
  5: (field) => ({ total: numberOf(field) }),
  6: (field) => ({ at: timeOf(field) }),
  7: (field) => ({ startedAt: timeOf(field) }),
  8: (field) => ({ completedAt: timeOf(field) }),
};

const logFields: Setters<VertexLog> = {
  1: (field) => ({ vertex: textOf(field) }),
  2: (field) => ({ at: timeOf(field) }),
  3: (field) => ({ stream: numberOf(field) === 2 ? 'stderr' : 'stdout' }),
  4: (field) => ({ bytes: bytesOf(field) }),
};

const warningFields: Setters<VertexWarning> = {
  1: (field) => ({ vertex: textOf(field) }),
  3: (field) => ({ short: textOf(field) }),
};

const noVertex: Vertex = { digest: '', name: '', cached: false };
const noStatus: VertexStatus = { id: '', vertex: '', name: '', current: 0, total: 0 };
const noLog: VertexLog = { vertex: '', stream: 'stdout', bytes: new Uint8Array() };
const noWarning: VertexWarning = { vertex: '', short: '' };

/**
 * Decodes one trace message (moby/buildkit `api/services/control/control.proto`, `StatusResponse`).
 * Throws RangeError on bytes that are none.
 */
export function decodeTrace(bytes: Uint8Array): Trace {
  const fields = readFields(bytes);
  const all = <T>(number: number, start: T, setters: Setters<T>): readonly T[] =>
    fields.filter((field) => field.number === number).map((field) => decode(bytesOf(field), start, setters));
  return {
    vertices: all(1, noVertex, vertexFields),
    statuses: all(2, noStatus, statusFields),
    logs: all(3, noLog, logFields),
    warnings: all(4, noWarning, warningFields),
  };
}
