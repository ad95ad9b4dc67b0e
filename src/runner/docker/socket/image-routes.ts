import { errorOf, objectField, textField, type EngineMessage } from '../json-lines.ts';
import { rewriteBuildQuery } from './build-query.ts';
import { headerOf, pick, readBody, sendJson, type Call } from './call.ts';
import { isObject, show } from './fields.ts';
import { pass } from './forward.ts';
import type { Handler } from './handler.ts';
import { fullReference, registryOf } from './images.ts';
import { lookAround, type Means } from './means.ts';
import { findContainer } from './objects.ts';
import { refuse, wrong } from './refusal.ts';
import { registryAuth, registryConfig } from './registry-auth.ts';

const foreign = 'only images that this run builds, pulls or names in its steps are its own';

/** Notes what a streamed answer says was made, and hands on what was asked for when nothing went wrong. */
function watch(
  { images }: Means,
  asked: readonly string[],
): { take: (message: EngineMessage) => void; done: () => void } {
  let isFaulty = false;
  return {
    take: (message) => {
      isFaulty ||= errorOf(message) !== undefined;
      const id = textField(message['aux'], 'ID');
      const said = textField(message, 'stream')?.trim() ?? '';
      const loaded = /^(?:Loaded image(?: ID)?: )?(\S+)$/.exec(said)?.[1];
      if (id !== undefined) images.made(id);
      if (loaded !== undefined && (said.startsWith('Loaded') || said.startsWith('sha256:'))) images.made(loaded);
    },
    done: () => {
      if (!isFaulty) for (const name of asked) images.made(name);
    },
  };
}

const build: Handler = async (means, call) => {
  const world = await lookAround(means);
  const query = rewriteBuildQuery(world, call.query);
  const config = registryConfig(headerOf(call, 'x-registry-config'), means.scope.setup.registryCredentials);
  await pass(means, call, {
    path: '/build',
    query,
    headers: { 'Content-Type': 'application/x-tar', 'X-Registry-Config': config },
    body: call.body,
    deadlineMs: 'none',
    ...watch(means, query.getAll('t')),
  });
};

function join(name: string, tag: string | null): string {
  if (tag === null || tag === '') return name;
  return tag.startsWith('sha256:') ? `${name}@${tag}` : `${name}:${tag}`;
}

function authFor({ scope }: Means, call: Call, reference: string): Record<string, string> {
  const header = headerOf(call, 'x-registry-auth');
  return { 'X-Registry-Auth': registryAuth(header, registryOf(reference), scope.setup.registryCredentials) };
}

const pull: Handler = async (means, call) => {
  const reference = join(call.query.get('fromImage') ?? '', call.query.get('tag'));
  await pass(means, call, {
    path: '/images/create',
    query: pick(call.query, ['fromImage', 'tag', 'platform']),
    headers: authFor(means, call, reference),
    deadlineMs: 'none',
    ...watch(means, [reference]),
  });
};

const importArchive: Handler = async (means, call) => {
  if (call.query.get('fromSrc') !== '-') throw refuse('an image from a URL', 'let the client read it: docker import -');
  const name = join(call.query.get('repo') ?? '', call.query.get('tag'));
  await pass(means, call, {
    path: '/images/create',
    query: pick(call.query, ['fromSrc', 'repo', 'tag', 'message', 'changes', 'platform']),
    headers: { 'Content-Type': 'application/x-tar' },
    body: call.body,
    deadlineMs: 'none',
    ...watch(means, name === '' ? [] : [name]),
  });
};

const create: Handler = (means, call, params) =>
  (call.query.get('fromSrc') ?? '') === '' ? pull(means, call, params) : importArchive(means, call, params);

const load: Handler = (means, call) =>
  pass(means, call, {
    path: '/images/load',
    query: pick(call.query, ['quiet']),
    headers: { 'Content-Type': 'application/x-tar' },
    body: call.body,
    deadlineMs: 'none',
    ...watch(means, []),
  });

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

interface Known {
  readonly id: string;
  readonly tags: readonly string[];
}

async function look({ scope }: Means, name: string): Promise<Known> {
  const path = `/images/${encodeName(name)}/json`;
  const answer = await scope.engine.json({ method: 'GET', path });
  return { id: textField(answer, 'Id') ?? '', tags: textsOf(objectField(answer, 'RepoTags')) };
}

/** A name as a part of a path: slashes stay, nothing else can break out. @throws `invalid-request` for what is no name of an image. */
function encodeName(name: string): string {
  if (fullReference(name) === undefined && !/^sha256:[0-9a-f]{1,64}$/.test(name))
    throw wrong(`invalid reference format: ${show(name)}`);
  return name.split('/').map(encodeURIComponent).join('/');
}

/** Makes sure that the run may hand an image on; gives its name for the path. */
async function shown(means: Means, name = ''): Promise<string> {
  const { images } = means;
  const path = encodeName(name);
  if (images.isShown(name)) return path;
  const { id, tags } = await look(means, name);
  if (images.isMade(id) || tags.some((tag) => images.isShown(tag))) return path;
  throw refuse(`the image "${show(name)}"`, foreign);
}

const list: Handler = async ({ scope, images }, call) => {
  const query = Object.fromEntries(pick(call.query, ['all', 'filters', 'digests', 'shared-size']));
  const answer = await scope.engine.json({ method: 'GET', path: `${call.version}/images/json`, query });
  const all = Array.isArray(answer) ? answer.filter(isObject) : [];
  const own = all.flatMap((image) => {
    const tags = textsOf(image['RepoTags']).filter((tag) => images.isShown(tag));
    const digests = textsOf(image['RepoDigests']).filter((digest) => images.isShown(digest));
    const isOwn = tags.length > 0 || digests.length > 0 || images.isMade(textField(image, 'Id') ?? '');
    return isOwn ? [{ ...image, RepoTags: tags, RepoDigests: digests }] : [];
  });
  sendJson(call, 200, own);
};

const inspect: Handler = (means, call, [name = '']) => pass(means, call, { path: `/images/${encodeName(name)}/json` });

const history: Handler = async (means, call, [name]) =>
  pass(means, call, { path: `/images/${await shown(means, name)}/history` });

const save: Handler = async (means, call, [name]) =>
  pass(means, call, { path: `/images/${await shown(means, name)}/get`, deadlineMs: 'none' });

const saveMany: Handler = async (means, call) => {
  for (const name of call.query.getAll('names')) await shown(means, name);
  await pass(means, call, { path: '/images/get', query: pick(call.query, ['names']), deadlineMs: 'none' });
};

const push: Handler = async (means, call, [name = '']) => {
  const tag = call.query.get('tag');
  if (tag === null || tag === '') throw refuse('a push of all tags', 'some may be of others; push one tag at a time');
  const reference = join(name, tag);
  if (!means.images.isShown(reference)) await shown(means, reference);
  await pass(means, call, {
    path: `/images/${encodeName(name)}/push`,
    query: pick(call.query, ['tag']),
    headers: authFor(means, call, reference),
    deadlineMs: 'none',
  });
};

const tag: Handler = async (means, call, [name]) => {
  const made = join(call.query.get('repo') ?? '', call.query.get('tag'));
  await pass(means, call, {
    path: `/images/${await shown(means, name)}/tag`,
    query: pick(call.query, ['repo', 'tag']),
    done: () => means.images.made(made),
  });
};

/** The name under which an image may be removed: its own tag, or its id when no tag of another run goes with it. */
async function removable(means: Means, name: string): Promise<string> {
  const { images } = means;
  if (!/^sha256:/.test(name) && images.isMade(name)) return encodeName(fullReference(name) ?? name);
  const { id, tags } = await look(means, name);
  const isId = id.replace('sha256:', '').startsWith(name.replace('sha256:', ''));
  const isOwn = images.isMade(id) || tags.length > 0;
  if (isId && isOwn && tags.every((one) => images.isMade(one))) return id;
  throw refuse(`the removal of the image "${show(name)}"`, 'images are shared, and this run did not make it alone');
}

const remove: Handler = async (means, call, [name = '']) => {
  const path = `/images/${await removable(means, name)}`;
  await pass(means, call, { path, query: pick(call.query, ['force', 'noprune']) });
};

const commit: Handler = async (means, call) => {
  const body = (await readBody(call)) ?? {};
  const { id } = findContainer(await means.objects.containers(), call.query.get('container') ?? '');
  const query = {
    ...Object.fromEntries(pick(call.query, ['repo', 'tag', 'comment', 'author', 'pause'])),
    changes: call.query.getAll('changes'),
    container: id,
  };
  if (!isObject(body)) throw wrong('the body must be an object');
  const request = { method: 'POST', path: '/commit', query, body, deadlineMs: 600_000 } as const;
  const answer = await means.scope.engine.json(request);
  means.images.made(textField(answer, 'Id') ?? '');
  means.images.made(join(call.query.get('repo') ?? '', call.query.get('tag')));
  sendJson(call, 201, answer);
};

const distribution: Handler = (means, call, [name = '']) =>
  pass(means, call, { path: `/distribution/${encodeName(name)}/json`, headers: authFor(means, call, name) });

/** What steps may do with images. */
export const imageRoutes: Readonly<Record<string, Handler>> = {
  'POST /build': build,
  'POST /commit': commit,
  'POST /images/create': create,
  'POST /images/load': load,
  'GET /images/json': list,
  'GET /images/get': saveMany,
  'GET /images/**/json': inspect,
  'GET /images/**/history': history,
  'GET /images/**/get': save,
  'POST /images/**/push': push,
  'POST /images/**/tag': tag,
  'DELETE /images/**': remove,
  'GET /distribution/**/json': distribution,
};
