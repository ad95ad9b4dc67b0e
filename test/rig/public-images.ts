import { packRootFs, type RootEntry } from '../../src/host/root-fs.ts';
import type { BaseImage } from '../../src/host/base-image.ts';
import { collectBusybox, ensureStandIns, locate } from './stand-ins.ts';

const path = 'ENV PATH=/usr/local/bin:/bin';

/** Busybox with one script at `/usr/local/bin/start`. */
async function createWithStart(script: string, others: Readonly<Record<string, string>> = {}): Promise<BaseImage> {
  const start: RootEntry = { kind: 'text', path: '/usr/local/bin/start', text: `#!/bin/sh\n${script}`, mode: 0o755 };
  return { tar: packRootFs([...(await collectBusybox(others)), start]), changes: [path, 'ENTRYPOINT ["start"]'] };
}

/** Runs its words as a command, and flags as those of bash. */
function createBash(): Promise<BaseImage> {
  const script = 'case "$1" in -*) exec bash "$@" ;; esac\nexec "$@"\n';
  return createWithStart(script, { '/bin/bash': locate('bash') });
}

/** Fetches the URL after `--url`; a server that was started the moment before gets some time. */
function createCurl(): Promise<BaseImage> {
  return createWithStart('for try in 1 2 3 4 5 6 7 8 9; do wget -q -O - "$2" && exit; sleep 1; done\nexit 7\n');
}

/** Serves a page on port 80. */
function createWebServer(): Promise<BaseImage> {
  return createWithStart('mkdir -p /www && echo "a served page" >/www/index.html && exec httpd -f -p 80 -h /www\n');
}

function createHelloWorld(): Promise<BaseImage> {
  return createWithStart('echo "Hello from a container!"\n');
}

async function createDocker(): Promise<BaseImage> {
  const entries = await collectBusybox({ '/usr/local/bin/docker': locate('docker') });
  return { tar: packRootFs(entries), changes: [path, 'ENTRYPOINT ["docker"]'] };
}

/**
 * Makes what the engine lacks of the public images that the files of `test/task/corpus` name, as far as each is used there.
 * @returns removes what was made.
 */
export function ensurePublicImages(host: string): Promise<() => Promise<void>> {
  return ensureStandIns(host, {
    'bash:latest': createBash,
    'bash:3.0': createBash,
    'mcr.microsoft.com/acr/bash:2ff604c': createBash,
    'mcr.microsoft.com/acr/curl:2ff604c': createCurl,
    'mcr.microsoft.com/oss/nginx/nginx:1.15.5-alpine': createWebServer,
    'mcr.microsoft.com/hello-world:latest': createHelloWorld,
    'docker:cli': createDocker,
  });
}
