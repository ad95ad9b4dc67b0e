import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBuildKitProgress, type BuildKitProgress } from '../../src/runner/docker/buildkit-progress.ts';
import { decodeTrace, type Trace, type Vertex, type VertexStatus } from '../../src/runner/docker/buildkit-trace.ts';
import { writeFields } from '../../src/runner/docker/protobuf.ts';

interface Shown {
  readonly lines: string[];
  readonly progress: BuildKitProgress;
}

function start(): Shown {
  const lines: string[] = [];
  return { lines, progress: createBuildKitProgress((stream, text) => lines.push(`${stream} ${text}`)) };
}

/** The traces of a build that was recorded from an engine. */
function recorded(name: string): Trace[] {
  const text = readFileSync(new URL(`fixtures/buildkit-${name}.ndjson`, import.meta.url), 'utf8');
  const messages = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return messages
    .filter((message) => message.id === 'moby.buildkit.trace')
    .map((message) => decodeTrace(Buffer.from(message.aux, 'base64')));
}

function show(traces: readonly Trace[]): Shown {
  const shown = start();
  for (const trace of traces) shown.progress.write(trace);
  shown.progress.flush();
  return shown;
}

const nothing: Trace = { vertices: [], statuses: [], logs: [], warnings: [] };

function aVertex(change: Partial<Vertex> = {}): Trace {
  const vertex = { digest: 'v1', name: '[2/3] RUN make', cached: false, startedAt: 1000, ...change };
  return { ...nothing, vertices: [vertex] };
}

function aLog(text: string, at = 1500, stream: 'stdout' | 'stderr' = 'stdout'): Trace {
  return { ...nothing, logs: [{ vertex: 'v1', at, stream, bytes: Buffer.from(text) }] };
}

function aStatus(change: Partial<VertexStatus>): Trace {
  const status = {
    id: 'sha256:0123456789abcdef',
    vertex: 'v1',
    name: 'downloading',
    current: 0,
    total: 0,
    startedAt: 1000,
  };
  return { ...nothing, statuses: [{ ...status, ...change }] };
}

describe('the progress of a recorded BuildKit build', () => {
  it('shows each instruction, its output with seconds, and how it ended', () => {
    expect(show(recorded('ok')).lines).toEqual([
      'system #1 [internal] load metadata for docker.io/library/busybox:latest',
      'system #1 DONE 0.0s',
      'system #2 [base 1/2] FROM docker.io/library/busybox',
      'system #2 DONE 0.0s',
      String.raw`system #3 [base 2/2] RUN echo hello && printf 'part' && sleep 0.3 && echo ial && printf 'a\rb\rc\n' && echo err >&2`,
      'stdout #3 0.16 hello',
      'stderr #3 0.46 err',
      'stdout #3 0.46 partial',
      'stdout #3 0.46 c',
      'system #3 DONE 0.5s',
      'system #4 [other 1/2] COPY a.txt /a.txt',
      'system #4 DONE 0.0s',
      'system #5 [other 2/2] RUN --mount=type=cache,target=/c echo cache > /c/x',
      'system #5 DONE 0.2s',
      'system #6 exporting to image',
      'system #6 exporting layers done',
      expect.stringMatching(/^system #6 writing image sha256:[0-9a-f]{64} done$/),
      'system #6 naming to docker.io/library/rec:1 done',
      'system #6 DONE 0.0s',
    ]);
  });

  it('says which instructions came from the cache', () => {
    const { lines, progress } = show(recorded('cached'));
    expect(lines.filter((line) => line.endsWith('CACHED'))).toEqual([
      'system #3 CACHED',
      'system #4 CACHED',
      'system #5 CACHED',
    ]);
    const cached = progress.vertices.filter((vertex) => vertex.cached).map((vertex) => vertex.name);
    expect(cached).toContain('[other 1/2] COPY a.txt /a.txt');
  });

  it('shows and keeps the error of an instruction', () => {
    const { lines, progress } = show(recorded('fail'));
    expect(lines.at(-1)).toBe('system #4 ERROR: executor failed running [/bin/sh -c echo boom; exit 3]: exit code: 3');
    expect(progress.vertices.at(-1)).toMatchObject({ name: '[3/3] RUN echo boom; exit 3', error: expect.any(String) });
  });

  it('finds the digest of a base image that a registry resolved', () => {
    const { bases } = show(recorded('pull')).progress;
    expect(bases).toEqual([
      {
        reference: expect.stringMatching(/^127\.0\.0\.1:\d+\/rec\/base:1$/),
        digest: expect.stringMatching(/^sha256:/),
      },
    ]);
  });

  it('gives every instruction its seconds', () => {
    const run = show(recorded('ok')).progress.vertices.find((vertex) => vertex.name.includes('RUN echo hello'));
    expect(run?.seconds).toBeCloseTo(0.483, 2);
  });
});

describe('the progress of a BuildKit build', () => {
  it('emits a whole line at once and joins one that is cut, for each stream on its own', () => {
    const { lines, progress } = start();
    progress.write(aVertex());
    progress.write(aLog('one\ntw'));
    expect(lines).toEqual(['system #1 [2/3] RUN make', 'stdout #1 0.50 one']);
    progress.write(aLog('warning\n', 1600, 'stderr'));
    progress.write(aLog('o\n', 1700));
    expect(lines.slice(2)).toEqual(['stderr #1 0.60 warning', 'stdout #1 0.70 two']);
  });

  it('emits the last line before it says that the vertex has ended', () => {
    const { lines } = show([aVertex(), aLog('no line end'), aVertex({ completedAt: 3000 })]);
    expect(lines.slice(1)).toEqual(['stdout #1 0.50 no line end', 'system #1 DONE 2.0s']);
  });

  it('shows output that comes in the same message as the end before the end', () => {
    const { lines } = show([aVertex(), { ...aVertex({ completedAt: 3000 }), logs: aLog('late\n').logs }]);
    expect(lines.slice(1)).toEqual(['stdout #1 0.50 late', 'system #1 DONE 2.0s']);
  });

  it('hides the housekeeping unless it fails', () => {
    const name = '[internal] load remote build context';
    expect(show([aVertex({ name }), aVertex({ name, completedAt: 1100 })]).lines).toEqual([]);
    expect(show([aVertex({ name, completedAt: 1100, error: 'broken' })]).lines).toEqual([
      `system #1 ${name}`,
      'system #1 ERROR: broken',
    ]);
  });

  it('calls a vertex canceled when another one has failed', () => {
    expect(show([aVertex({ completedAt: 2000, error: 'context canceled' })]).lines.at(-1)).toBe('system #1 CANCELED');
  });

  it('shows bytes under way at most once a second for each layer, and its end always', () => {
    const { lines } = show([
      aVertex({ name: '[1/1] FROM x' }),
      ...[0, 200, 400, 900, 1100, 1300, 2000].map((ms) =>
        aStatus({ at: 1000 + ms, current: 1000 + ms, total: 5_000_000 }),
      ),
      aStatus({ at: 3050, completedAt: 3050, current: 5_000_000, total: 5_000_000 }),
    ]);
    expect(lines.slice(1)).toEqual([
      'system #1 sha256:0123456789ab 2.10kB / 5.00MB 1.1s',
      'system #1 sha256:0123456789ab 5.00MB / 5.00MB 2.0s done',
    ]);
  });

  it('shows the warnings about a Dockerfile', () => {
    const { lines } = show([aVertex(), { ...nothing, warnings: [{ vertex: 'v1', short: 'FromAsCasing: bad' }] }]);
    expect(lines.at(-1)).toBe('system #1 WARN: FromAsCasing: bad');
  });

  it('puts a name of several lines on one, without control characters', () => {
    expect(show([aVertex({ name: '[2/3] RUN <<EOF\n\techo \x1b[2Jx\nEOF' })]).lines).toEqual([
      'system #1 [2/3] RUN <<EOF echo x EOF',
    ]);
  });
});

describe('decoding a trace', () => {
  it('reads what it knows and passes over fields that it does not', () => {
    const vertex = writeFields([
      [1, 'sha256:a'],
      [2, 'sha256:input'],
      [3, 'name'],
      [4, 1],
      [
        5,
        writeFields([
          [1, 100],
          [2, 5e8],
        ]),
      ],
      [99, 'new'],
    ]);
    expect(
      decodeTrace(
        writeFields([
          [1, vertex],
          [50, 'new'],
        ]),
      ),
    ).toEqual({
      ...nothing,
      vertices: [{ digest: 'sha256:a', name: 'name', cached: true, startedAt: 100_500 }],
    });
  });

  it('refuses bytes that are cut off', () => {
    const whole = writeFields([
      [
        1,
        writeFields([
          [1, 'sha256:a'],
          [3, 'a name'],
        ]),
      ],
    ]);
    for (let length = 1; length < whole.length; length += 1) {
      expect(() => decodeTrace(whole.subarray(0, length))).toThrow(RangeError);
    }
  });

  it('never fails but with a RangeError, and never hangs, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          show([decodeTrace(bytes)]);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
