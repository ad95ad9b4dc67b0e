import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createArchiveFilter } from '../../src/source/filter-archive.ts';
import { openUploadContext } from '../../src/source/upload.ts';
import type { Context } from '../../src/source/ports.ts';
import { tarOf } from '../rig/contexts.ts';
import { createCmdRig, needs, shell, succeeded, written } from '../runner/cmd-rig.ts';
import { aBuild } from '../runner/rig.ts';

const rig = createCmdRig();

/** An upload whose client did not look at its `.dockerignore`. */
async function unfiltered(): Promise<Context> {
  const Dockerfile = 'FROM busybox:latest\nCOPY . /all\nRUN ! ls /all | grep ignored\n';
  const archive = gzipSync(await tarOf({ Dockerfile, ignored: 'x', kept: 'y', '.dockerignore': 'ignored\n' }));
  return openUploadContext(
    { kind: 'upload', relativePath: 'up' },
    { open: () => Promise.resolve(Readable.from([archive])) },
  );
}

describe('files that .dockerignore names', () => {
  it('do not reach the build of a run that only builds', async () => {
    const build = aBuild({ noCache: true });
    const run = await rig.prepare([build], {}, { context: await unfiltered() });
    const { outcome, io } = await rig.runOn(run, build);
    expect(outcome, io.text()).toMatchObject(succeeded);
  });

  it('are in the workspace, and do not reach a build that comes after', async () => {
    const look = shell('look', 'ls');
    const build = aBuild({ noCache: true, needs: needs('look') });
    rig.configure({ packIgnored: createArchiveFilter(tmpdir()) });
    const run = await rig.prepare([look, build], {}, { context: await unfiltered() });
    expect(written(await rig.runOn(run, look))).toEqual(['Dockerfile', 'ignored', 'kept']);
    const { outcome, io } = await rig.runOn(run, build);
    expect(outcome, io.text()).toMatchObject(succeeded);
  });
});
