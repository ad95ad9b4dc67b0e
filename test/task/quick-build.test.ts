import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/run.ts';
import { formatRunDate, planQuickBuild } from '../../src/task/quick-build.ts';
import { aRequest } from '../rig/runs.ts';

const run = {
  runId: 'ca7' as RunId,
  registry: '127.0.0.1:5080',
  startedAt: new Date('2026-11-21T09:08:07.123Z'),
  architecture: 'amd64',
};
const plan = (change: Parameters<typeof aRequest>[0] = {}) => planQuickBuild(aRequest(change), run);

describe('the plan of a quick build', () => {
  it('is a build step and a push step behind it', () => {
    const { steps } = plan({ imageNames: ['app:v1', 'team/app'] });
    expect(steps).toMatchObject([
      { kind: 'build', id: 'build', needs: [], tags: ['127.0.0.1:5080/app:v1', '127.0.0.1:5080/team/app:latest'] },
      {
        kind: 'push',
        id: 'push',
        needs: ['build'],
        images: ['127.0.0.1:5080/app:v1', '127.0.0.1:5080/team/app:latest'],
      },
    ]);
  });

  it('has no push step when pushing is off, or when there is nothing to push', () => {
    expect(plan({ isPushEnabled: false }).steps).toHaveLength(1);
    expect(plan({ imageNames: [] }).steps).toHaveLength(1);
  });

  it('puts our registry only in front of names that have none', () => {
    expect(plan({ imageNames: ['127.0.0.1:5080/app:v1'] }).steps[0]).toMatchObject({ tags: ['127.0.0.1:5080/app:v1'] });
  });

  it('takes another registry when the request has credentials for it, and refuses it when not', () => {
    const credentials = {
      sourceRegistry: { loginMode: 'Default' as const },
      customRegistries: { 'reg.example.com': { userName: 'u', password: 'p' } },
    };
    expect(plan({ imageNames: ['reg.example.com/app'], credentials }).steps[0]).toMatchObject({
      tags: ['reg.example.com/app:latest'],
    });
    expect(() => plan({ imageNames: ['app', 'reg.example.com/app'] })).toThrow(/no credentials/);
  });

  it('names each image once', () => {
    expect(plan({ imageNames: ['app', 'app:latest'] }).steps[0]).toMatchObject({ tags: ['127.0.0.1:5080/app:latest'] });
  });

  it('fills the run variables into image names', () => {
    expect(
      plan({ imageNames: ['app:{{.Run.ID}}-{{ .Run.Date }}', '{{.Run.Registry}}/x:{{.Build.ID}}'] }).steps[0],
    ).toMatchObject({
      tags: ['127.0.0.1:5080/app:ca7-20261121-090807z', '127.0.0.1:5080/x:ca7'],
    });
  });

  it('refuses an unknown variable and says which there are', () => {
    expect(() => plan({ imageNames: ['app:{{.Values.x}}'] })).toThrow(
      /"{{\.Values\.x}}" in an image name is not known/,
    );
  });

  it('refuses a digest and a bad name, naming the field', () => {
    expect(() => plan({ imageNames: [`app@sha256:${'a'.repeat(64)}`] })).toThrow(/yet to be built/);
    expect(() => plan({ imageNames: ['app', 'Bad Name'] })).toThrow(
      expect.objectContaining({
        failure: expect.objectContaining({ field: 'imageNames[1]' }) as unknown,
      }),
    );
  });

  it.each([
    [{ os: 'linux' }, undefined],
    [{ os: 'linux', architecture: 'arm64' }, 'linux/arm64'],
    [{ os: 'linux', architecture: 'arm', variant: 'v7' }, 'linux/arm/v7'],
    [{ os: 'linux', architecture: 'x86' }, 'linux/386'],
  ] as const)('asks for the platform %j as %s', (platform, expected) => {
    const [build] = plan({ platform }).steps;
    expect(build?.kind === 'build' ? build.platform : 'no build').toBe(expected);
  });

  it('writes dates as the language has them', () => {
    expect(formatRunDate(new Date('2026-01-02T03:04:05Z'))).toBe('20260102-030405z');
  });

  it('names images after the commit and branch of a git context, where the run has them', () => {
    const named = { imageNames: ['app:{{.Run.Branch}}-{{.Run.Commit}}'] };
    const known = { ...run, branch: 'main', commit: 'c0ffee' };
    expect(planQuickBuild(aRequest(named), known).steps[0]).toMatchObject({ tags: ['127.0.0.1:5080/app:main-c0ffee'] });
    expect(() => plan(named)).toThrow(/this run has no Branch/);
  });
});
