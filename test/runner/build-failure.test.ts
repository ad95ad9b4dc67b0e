import { describe, expect, it } from 'vitest';
import { describeBuildFailure, type BuildFailure } from '../../src/runner/docker/build-failure.ts';
import { findLeaks } from '../../src/runner/docker/secret-leak.ts';

function describeFailure(failure: Partial<BuildFailure>): { message: string; exitCode?: number | undefined } {
  const { message, exitCode } = describeBuildFailure({ message: '', dockerfile: 'Dockerfile', ...failure });
  return exitCode === undefined ? { message } : { message, exitCode };
}

const solve = 'failed to solve with frontend dockerfile.v0: ';

describe('the message of a build that failed', () => {
  it.each([
    {
      title: 'names instruction, exit code, and stage and step, as BuildKit of Docker 20 says it',
      failure: {
        message: 'executor failed running [/bin/sh -c npm ci]: exit code: 1',
        vertices: [
          {
            name: '[build 3/5] RUN npm ci',
            cached: false,
            seconds: 1,
            error: 'executor failed running [/bin/sh -c npm ci]: exit code: 1',
          },
          { name: '[2/2] COPY a b', cached: false, seconds: 0, error: 'context canceled' },
        ],
      },
      says: { message: 'RUN npm ci failed with exit code 1 (Dockerfile stage build, step 3/5)', exitCode: 1 },
    },
    {
      title: 'reads the words of newer BuildKit',
      failure: {
        message: 'failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 137',
        vertices: [
          {
            name: '[2/2] RUN false',
            cached: false,
            seconds: 1,
            error: 'process "/bin/sh -c false" did not complete successfully: exit code: 137',
          },
        ],
      },
      says: { message: 'RUN false failed with exit code 137 (Dockerfile step 2/2)', exitCode: 137 },
    },
    {
      title: 'reads the words of the classic builder',
      failure: {
        message: "The command '/bin/sh -c exit 3' returned a non-zero code: 3",
        code: 3,
        step: { number: 2, count: 4, text: 'RUN exit 3' },
      },
      says: { message: 'RUN exit 3 failed with exit code 3 (Dockerfile step 2/4)', exitCode: 3 },
    },
    {
      title: 'names the Dockerfile that is missing',
      failure: {
        message: `${solve}failed to read dockerfile: open /x/sub/App: no such file or directory`,
        dockerfile: 'sub/App',
      },
      says: { message: 'the Dockerfile sub/App is not in the context' },
    },
    {
      title: 'names the line that cannot be read',
      failure: {
        message: `${solve}failed to create LLB definition: dockerfile parse error line 3: unknown instruction: RUNN`,
      },
      says: { message: 'Dockerfile line 3: unknown instruction: RUNN' },
    },
    {
      title: 'names the line that cannot be read, in newer words',
      failure: {
        message: 'failed to solve: dockerfile parse error on line 12: FROM requires either one or three arguments',
      },
      says: { message: 'Dockerfile line 12: FROM requires either one or three arguments' },
    },
    {
      title: 'passes other words on without their wrapping',
      failure: { message: `${solve}failed to create LLB definition: target stage nix could not be found` },
      says: { message: 'target stage nix could not be found' },
    },
    {
      title: 'says why a base image could not be had',
      failure: {
        message: `${solve}failed to create LLB definition: x/y:1: not found`,
        vertices: [
          { name: '[internal] load metadata for x/y:1', cached: false, seconds: 0, error: 'x/y:1: not found' },
        ],
      },
      says: { message: 'x/y:1: not found' },
    },
  ])('$title', ({ failure, says }) => {
    expect(describeFailure(failure)).toEqual(says);
  });

  it('stays on one line and bounded', () => {
    const { message } = describeFailure({ message: `a\nb\x1b[2J${'x'.repeat(5000)}` });
    expect(message).toMatch(/^a bx+…$/);
    expect(message.length).toBeLessThan(600);
  });
});

describe('looking for secret arguments in an image’s history', () => {
  it('finds what ARG declares and what a RUN was given, in the words of both builders', () => {
    const history = [
      '/bin/sh -c #(nop)  ARG TOKEN',
      'RUN |2 KEY=abc WHO=me /bin/sh -c make # buildkit',
      'ARG PASS=default',
    ];
    expect(findLeaks(history, ['TOKEN', 'KEY', 'PASS', 'OTHER', 'TOK', 'WHO_'])).toEqual(['TOKEN', 'KEY', 'PASS']);
  });

  it('finds nothing where the secret was mounted', () => {
    expect(findLeaks(['RUN /bin/sh -c rev /run/secrets/TOKEN # buildkit'], ['TOKEN'])).toEqual([]);
  });
});
