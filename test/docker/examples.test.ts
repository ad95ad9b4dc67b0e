import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInstallation, type Installation } from '../rig/installation.ts';
import { ended, getLog, removeImages, schedule, upload } from '../rig/quick-build.ts';
import { dockerStandIn } from '../rig/stand-ins.ts';

const root = new URL('../../examples/', import.meta.url).pathname;
let slipway: Installation;

beforeAll(async () => {
  slipway = await startInstallation({ env: { SLIPWAY_IMAGES: `docker=${dockerStandIn}` } });
}, 60_000);
afterAll(async () => {
  await removeImages(slipway);
  await slipway.stop();
}, 60_000);

async function readFolder(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    files.map(async (file) => [file.slice(folder.length + 1), await readFile(file, 'utf8')] as const),
  );
  return Object.fromEntries(texts);
}

/** What an example's README says to do before it is run. */
const before: Readonly<Record<string, () => Promise<unknown>>> = {
  secrets: () =>
    slipway.request('/api/v1/secrets/example-token', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ value: 'open-sesame' }),
    }),
};

const tasks = (await readdir(root)).filter((name) => !['hello-node', 'base-image-update'].includes(name));

describe('the example', () => {
  it.each(tasks)(
    '%s runs as it stands',
    async (name) => {
      await before[name]?.();
      const sourceLocation = await upload(slipway, await readFolder(join(root, name)));
      const request = {
        type: 'FileTaskRunRequest',
        taskFilePath: 'task.yaml',
        dockerFilePath: undefined,
        sourceLocation,
      };
      const { runId } = (await schedule(slipway, request)).properties;
      const { properties } = await ended(slipway, runId);
      expect(properties, await getLog(slipway, runId)).toMatchObject({ status: 'Succeeded' });
    },
    60_000,
  );
});
