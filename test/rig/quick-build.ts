import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { eventually, type Installation } from './installation.ts';
import { tarOf } from './contexts.ts';

/** A run as the API shows it, as far as tests look at it. */
export interface RunDocument {
  readonly properties: {
    readonly runId: string;
    readonly status: string;
    readonly outputImages?: readonly { registry: string; repository: string; tag: string; digest: string }[];
    readonly runErrorMessage?: string;
    readonly attempt?: number;
    readonly steps?: readonly { id: string; outcome?: { kind: string } }[];
  };
}

/** Uploads files as a context; resolves with what `sourceLocation` is to be. */
export async function upload(slipway: Installation, files: Readonly<Record<string, string>>): Promise<string> {
  const answer = await slipway.request('/api/v1/listBuildSourceUploadUrl', { method: 'POST' });
  const { uploadUrl, relativePath } = (await answer.json()) as { uploadUrl: string; relativePath: string };
  const put = await fetch(uploadUrl, { method: 'PUT', body: new Uint8Array(await tarOf(files)) });
  if (!put.ok) throw new Error(`upload: ${put.status} ${await put.text()}`);
  return relativePath;
}

/** Schedules a quick build; `change` overrides fields of the request. */
export async function schedule(
  slipway: Installation,
  change: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<RunDocument> {
  const body = { type: 'DockerBuildRequest', dockerFilePath: 'Dockerfile', platform: { os: 'Linux' }, ...change };
  const init = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
  return (await (await slipway.request('/api/v1/scheduleRun', init)).json()) as RunDocument;
}

export async function getRun(slipway: Installation, id: string): Promise<RunDocument> {
  return (await (await slipway.request(`/api/v1/runs/${id}`)).json()) as RunDocument;
}

export async function getLog(slipway: Installation, id: string): Promise<string> {
  return (await slipway.request(`/api/v1/runs/${id}/log`)).text();
}

/** Waits until a run is over. */
export async function ended(slipway: Installation, id: string, ms = 60_000): Promise<RunDocument> {
  return eventually(`the end of run ${id}`, ms, async () => {
    const run = await getRun(slipway, id);
    return ['Queued', 'Started', 'Running'].includes(run.properties.status) ? undefined : run;
  });
}

/** Waits until a line of a run's log has `text`. */
export async function logged(slipway: Installation, id: string, text: string, ms = 30_000): Promise<void> {
  await eventually(`"${text}" in the log of ${id}`, ms, async () =>
    (await getLog(slipway, id)).includes(text) ? true : undefined,
  );
}

/** Removes what an installation built from the engine. */
export async function removeImages({ registryHost }: Pick<Installation, 'registryHost'>): Promise<void> {
  const docker = promisify(execFile);
  const format = '{{.Repository}}:{{.Tag}}';
  const { stdout } = await docker('docker', ['images', '--format', format, `${registryHost}/*`]);
  const { stdout: nested } = await docker('docker', ['images', '--format', format, `${registryHost}/*/*`]);
  const images = `${stdout}${nested}`.split('\n').filter((line) => line !== '' && !line.includes('<none>'));
  if (images.length > 0) await docker('docker', ['rmi', '-f', ...images]);
}

/** True while a process runs whose command line has `text`. */
export async function hasProcess(text: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.some((line) => line.replaceAll('\0', ' ').includes(text));
}
