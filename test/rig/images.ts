import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { pack } from 'tar-stream';
import type { EngineCalls } from '../../src/runner/docker/request.ts';
import { isMissing } from '../../src/runner/docker/errors.ts';

const programs = ['/bin/busybox', '/usr/bin/busybox'];
const applets = [
  'sh',
  'cat',
  'echo',
  'env',
  'ls',
  'mkdir',
  'rev',
  'rm',
  'sleep',
  'touch',
  'true',
  'uname',
  'wc',
  'yes',
  'head',
  'dd',
];

/** Makes `busybox:latest` out of the host's static busybox, when the engine has no image of that name. */
export async function ensureBusybox(engine: EngineCalls): Promise<void> {
  try {
    await engine.json({ method: 'GET', path: '/images/busybox:latest/json' });
    return;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const program = programs.find((path) => existsSync(path));
  if (program === undefined) throw new Error('the tests need the Debian package busybox-static');
  const tar = pack();
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync(program));
  for (const name of applets) tar.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' });
  tar.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  tar.finalize();
  const query = { fromSrc: '-', repo: 'busybox', tag: 'latest', changes: ['ENV PATH=/bin', 'CMD ["sh"]'] };
  const answer = await engine.stream({ method: 'POST', path: '/images/create', query, file: tar as never });
  answer.resume();
  await once(answer, 'end');
}
