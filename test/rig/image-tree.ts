import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tarOf } from './contexts.ts';
import type { Installation } from './installation.ts';

/** An image of a tree: made by a task of its name, on the images that it names; the first of those is what it begins with. */
export interface TreeImage {
  readonly name: string;
  readonly on: readonly string[];
}

/** A diamond: one base, below it levels of `widths` images, each on two of the level above. */
export function diamond(widths: readonly number[]): readonly TreeImage[] {
  const images: TreeImage[] = [];
  let above: readonly string[] = ['base'];
  for (const [level, width] of widths.entries()) {
    const names = Array.from({ length: width }, (_, at) => `level${String(level + 1)}-${String(at)}`);
    for (const [at, name] of names.entries()) {
      const parents = [above[at % above.length], above[(at + 1) % above.length]];
      images.push({ name, on: [...new Set(parents)].flatMap((parent) => parent ?? []) });
    }
    above = names;
  }
  return images;
}

/**
 * A Dockerfile whose image says in `/seen` which version of the base it saw, once for each way up to it: an image that was built on a stale
 * one has another version among them.
 */
export function dockerfileOf({ name, on }: TreeImage, registryHost: string): string {
  const [first = 'base', ...others] = on;
  const copies = others.map((other, at) => `COPY --from=${registryHost}/${other}:v1 /seen /tmp/${String(at)}`);
  return [
    `FROM ${registryHost}/${first}:v1`,
    ...copies,
    `RUN cat /seen /tmp/* > /all; sort -u /all > /seen; echo ${name} > /name; rm -f /tmp/* /all`,
    '',
  ].join('\n');
}

/** Serves the contexts of a tree as archives, and makes a task for each image. */
export async function plantTree(slipway: Installation, images: readonly TreeImage[]) {
  const archives = new Map<string, Buffer>();
  for (const image of images) {
    archives.set(`/${image.name}.tar`, await tarOf({ Dockerfile: dockerfileOf(image, slipway.registryHost) }));
  }
  const server = createServer((request, response) => {
    const found = archives.get(request.url ?? '');
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/x-tar' }).end(found);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  for (const { name } of images) {
    const step = {
      type: 'Docker',
      contextPath: `http://127.0.0.1:${String(port)}/${name}.tar`,
      imageNames: [`${name}:v1`],
      isPushEnabled: true,
      dockerFilePath: 'Dockerfile',
    };
    const baseImageTrigger = { name: 'base', baseImageTriggerType: 'All', status: 'Enabled' };
    await slipway.request(`/api/v1/tasks/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ properties: { platform: { os: 'Linux' }, step, trigger: { baseImageTrigger } } }),
    });
  }
  return {
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
