import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type RunningRegistry } from '../registry/rig.ts';
import { startInstallation, type Installation } from '../rig/installation.ts';
import { ensurePublicImages } from '../rig/public-images.ts';
import { ended, getLog, removeImages, schedule, upload, type RunDocument } from '../rig/quick-build.ts';
import { engineHost } from '../runner/rig.ts';

const corpus = join(import.meta.dirname, '../task/corpus/fixtures');
const docker = promisify(execFile);

/** What a file comes to. */
interface End {
  readonly file: string;
  readonly status: 'Succeeded' | 'Failed';
  /** What its log shows. */
  readonly shows?: readonly RegExp[];
  /** What it pushes, `1` or `2` for the registry, and without a tag that differs from run to run; not given: that is not looked at. */
  readonly pushes?: readonly string[];
  /** The step that fails, and with what words. */
  readonly fails?: readonly [step: RegExp, because: RegExp];
}

const hello = /Hello from a container!/;

const ends: readonly End[] = [
  { file: 'acr-tasks/bash-echo.yaml', status: 'Succeeded', shows: [/hello world/] },
  { file: 'acr-tasks/bash-echo-3.yaml', status: 'Succeeded', shows: [/image bash:3\.0/, /hello world/] },
  { file: 'acr-tasks/hello-world.yaml', status: 'Succeeded', shows: [hello] },
  { file: 'acr-tasks/build-hello-world.yaml', status: 'Succeeded', pushes: [] },
  { file: 'acr-tasks/build-push-hello-world.yaml', status: 'Succeeded', pushes: ['1/hello-world'] },
  {
    file: 'acr-tasks/build-push-hello-world-multi.yaml',
    status: 'Succeeded',
    pushes: ['1/hello-world', '1/hello-world:latest'],
  },
  { file: 'acr-tasks/build-run-hello-world.yaml', status: 'Succeeded', shows: [hello], pushes: ['1/hello-world'] },
  { file: 'acr-tasks/build-test-hello-world.yaml', status: 'Succeeded', shows: [hello], pushes: [] },
  {
    // Its last step wants an image that nobody can pull any more. It may not get there: its third step runs what the first one builds,
    // and waits for the second one alone.
    file: 'acr-tasks/build-test-update-hello-world.yaml',
    status: 'Failed',
    fails: [
      /^(?:hello-world|acb_step_5)$/,
      /(?:cmd\.azurecr\.io\/helm:v2\.11\.0-rc\.2|\/hello-world:\w+) could not be pulled/,
    ],
  },
  { file: 'acr-tasks/buildx.yml', status: 'Succeeded', pushes: ['1/hello-world'] },
  { file: 'acr-tasks/files-working-directory.yaml', status: 'Succeeded', shows: [/\d\d:\d\d:\d\d/, /hello\.txt/] },
  { file: 'acr-tasks/mounts-multistep.yaml', status: 'Succeeded', shows: [/s3cret/, /s3cretv2/] },
  {
    file: 'acr-tasks/multipleRegistries/testtask.yaml',
    status: 'Succeeded',
    pushes: ['1/hello-world', '2/hello-world'],
  },
  { file: 'acr-tasks/network-curl.yaml', status: 'Succeeded', shows: [/a served page|nginx/] },
  { file: 'acr-tasks/simpletask.yaml', status: 'Succeeded', pushes: ['1/hello-world'] },
  { file: 'acr-tasks/when-parallel.yaml', status: 'Succeeded', pushes: [] },
  { file: 'acr-tasks/when-parallel-dependent.yaml', status: 'Succeeded', shows: [hello], pushes: ['1/hello-world'] },
  { file: 'acr-tasks/when-sequential-default.yaml', status: 'Succeeded', shows: [/one[^]*two[^]*three/] },
  { file: 'acr-tasks/when-sequential-id.yaml', status: 'Succeeded', shows: [/one[^]*two[^]*three/] },
  { file: 'helloworld-node/taskmulti.yaml', status: 'Succeeded', pushes: ['1/hello-world'] },
  {
    file: 'helloworld-node/taskmulti-multiregistry.yaml',
    status: 'Succeeded',
    pushes: ['1/hello-world', '2/hello-world'],
  },
];

/** Files that ask a key vault for their secrets, which a test has none of. */
const needKeyVault = ['acr-tasks/managed-identities.yaml', 'acr-tasks/mounts-secrets.yaml'];

const files = {
  'hello-world.dockerfile': 'FROM mcr.microsoft.com/hello-world\n',
  Dockerfile: 'FROM mcr.microsoft.com/oss/nginx/nginx:1.15.5-alpine\nEXPOSE 80\n',
};

let slipway: Installation;
let second: RunningRegistry;
let removePublicImages: () => Promise<void>;

beforeAll(async () => {
  removePublicImages = await ensurePublicImages(engineHost);
  second = await startRegistry();
  slipway = await startInstallation();
}, 120_000);

afterAll(async () => {
  await removeImages(slipway);
  await removeImages({ registryHost: new URL(second.url).host });
  await docker('docker', ['rmi', '-f', 'hello-world-test']);
  await slipway.stop();
  await second.stop();
  await removePublicImages();
}, 120_000);

function requestOf(file: string): object {
  const other = new URL(second.url).host;
  const values = {
    secret1: 's3cret',
    secret2: 'v2',
    REGISTRY1: slipway.registryHost,
    REGISTRY2: other,
    regDate: other,
  };
  const login = {
    userName: { type: 'Opaque', value: 'admin' },
    password: { type: 'Opaque', value: 'secret' },
  };
  return {
    type: 'FileTaskRunRequest',
    taskFilePath: file,
    dockerFilePath: undefined,
    values: Object.entries(values).map(([name, value]) => ({ name, value })),
    credentials: { customRegistries: { [other]: login } },
  };
}

async function runFile(file: string): Promise<{ run: RunDocument['properties']; log: string }> {
  const text = readFileSync(join(corpus, file), 'utf8');
  const sourceLocation = await upload(slipway, { ...files, [file]: text });
  const { runId } = (await schedule(slipway, { ...requestOf(file), sourceLocation })).properties;
  const { properties } = await ended(slipway, runId, 100_000);
  return { run: properties, log: await getLog(slipway, runId) };
}

/** `1/name` or `2/name`, with the tag where it is the same in each run. */
function pushedBy({ outputImages = [] }: RunDocument['properties']): readonly string[] {
  return outputImages
    .map(({ registry, repository, tag }) => {
      const number = registry === slipway.registryHost ? 1 : 2;
      return `${number}/${repository}${tag === 'latest' ? ':latest' : ''}`;
    })
    .sort();
}

describe('the public task files', () => {
  it.each(ends)(
    '$file comes to its end: $status',
    async ({ file, status, shows = [], pushes, fails }) => {
      const { run, log } = await runFile(file);
      expect(run.status, log).toBe(status);
      for (const words of shows) expect(log).toMatch(words);
      if (pushes) expect(pushedBy(run)).toEqual(pushes);
      const failed = run.steps?.find(({ outcome }) => outcome?.kind === 'failed');
      if (fails) {
        expect(failed?.id).toMatch(fails[0]);
        expect(run.runErrorMessage).toMatch(fails[1]);
      } else {
        expect(failed).toBeUndefined();
      }
    },
    120_000,
  );

  it('are all in the table, but for those that need a key vault', () => {
    const all = ['acr-tasks', 'helloworld-node'].flatMap((folder) =>
      readdirSync(join(corpus, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    );
    const known = [...ends.map(({ file }) => file), ...needKeyVault];
    expect(all.filter((name) => /\.ya?ml$/.test(name)).sort()).toEqual(known.sort());
  });
});
