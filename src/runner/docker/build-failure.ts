import type { Outcome } from '../../domain/outcome.ts';
import type { BuiltVertex } from './buildkit-progress.ts';
import type { ClassicStep } from './classic-progress.ts';
import { oneLine } from './progress-words.ts';

/** What is known of a build that did not come to its end. */
export interface BuildFailure {
  /** The engine's words. */
  readonly message: string;
  /** Path of the Dockerfile inside the context. */
  readonly dockerfile: string;
  /** The exit code, where the engine says it apart from its words. */
  readonly code?: number;
  /** Where BuildKit was. */
  readonly vertices?: readonly BuiltVertex[];
  /** Where the classic builder was. */
  readonly step?: ClassicStep;
}

interface Place {
  readonly instruction: string;
  readonly position: string;
  readonly message: string;
}

const wrappers =
  /^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |rpc error: code = \w+ desc = |executor failed running )/;

/** The engine's words without the layers of its own that it wraps around them. */
function unwrap(message: string): string {
  let text = message;
  while (wrappers.test(text)) text = text.replace(wrappers, '');
  return oneLine(text);
}

/** `[2/4] RUN x` or `[build 2/4] RUN x` → the instruction and its place in the Dockerfile. */
function placeOfVertex(vertex: BuiltVertex): Place | undefined {
  const found = /^\[(?:(\S+) )?(\d+)\/(\d+)\] (.+)$/s.exec(vertex.name);
  if (!found) return undefined;
  const [, stage, number, count, text] = found;
  const position = `Dockerfile ${stage ? `stage ${stage}, ` : ''}step ${number ?? ''}/${count ?? ''}`;
  return { instruction: oneLine(text ?? ''), position, message: vertex.error ?? '' };
}

function findPlace({ vertices, step, message }: BuildFailure): Place | undefined {
  const broken = vertices?.find(({ error }) => error && !error.includes('context canceled'));
  if (broken) return placeOfVertex(broken);
  return step && { instruction: step.text, position: `Dockerfile step ${step.number}/${step.count}`, message };
}

function findExitCode({ message, code, vertices }: BuildFailure): number | undefined {
  const texts = [message, ...(vertices ?? []).map(({ error }) => error ?? '')];
  const found = texts.map((text) => /(?:exit code|non-zero code): (\d+)/.exec(text)?.[1]).find(Boolean);
  return code ?? (found === undefined ? undefined : Number(found));
}

/** Faults of the Dockerfile itself, in words that name it. */
function describeDockerfile({ message, dockerfile }: BuildFailure): string | undefined {
  const isMissing = /failed to read dockerfile: .*no such file|cannot locate specified dockerfile/i.test(message);
  if (isMissing) return `the Dockerfile ${dockerfile} is not in the context`;
  const parse = /dockerfile parse error (?:on )?line (\d+): (.+)/is.exec(message);
  return parse ? `${dockerfile} line ${parse[1] ?? ''}: ${oneLine(parse[2] ?? '')}` : undefined;
}

/**
 * What a build that failed came to, with a message that names the instruction and the exit code, the line of the Dockerfile, or what
 * else the engine found wrong.
 */
export function describeBuildFailure(failure: BuildFailure): Outcome & { readonly kind: 'failed' } {
  const fault = describeDockerfile(failure);
  if (fault !== undefined) return { kind: 'failed', message: fault };
  const place = findPlace(failure);
  const exitCode = findExitCode(failure);
  if (!place) return { kind: 'failed', message: unwrap(failure.message), ...(exitCode !== undefined && { exitCode }) };
  const { instruction, position } = place;
  if (exitCode === undefined) {
    return { kind: 'failed', message: `${instruction} failed: ${unwrap(place.message)} (${position})` };
  }
  return { kind: 'failed', exitCode, message: `${instruction} failed with exit code ${exitCode} (${position})` };
}
