import { objectField, textField } from '../json-lines.ts';
import { labels } from '../scope.ts';
import { fail, FailureError } from '../../../domain/failure.ts';
import { pick, readBody, sendJson, type Call } from './call.ts';
import { rewriteContainer } from './container-body.ts';
import { rewriteExec, rewriteExecStart } from './exec-body.ts';
import { isObject, type Fields } from './fields.ts';
import { matchesName, readFilters, withLabels } from './filters.ts';
import { pass, passConnection, type Onward } from './forward.ts';
import type { Handler } from './handler.ts';
import { lookAround, type Means } from './means.ts';
import { findContainer, runLabels, type OwnContainer } from './objects.ts';
import { missing, wrong } from './refusal.ts';
import type { ContainerWorld } from './world.ts';

/** How many containers a run may have at a time. */
const maxContainers = 200;

async function own({ objects }: Means, name: string | undefined): Promise<OwnContainer> {
  return findContainer(await objects.containers(), name ?? '');
}

const noDeadline = { deadlineMs: 'none' } as const;

interface Passed {
  readonly query?: readonly string[];
  readonly isLong?: boolean;
  readonly fixed?: Readonly<Record<string, string>>;
}

function queryOf(call: Call, { query = [], fixed = {} }: Passed): URLSearchParams {
  const picked = pick(call.query, query);
  for (const [name, value] of Object.entries(fixed)) picked.set(name, value);
  return picked;
}

/** A call about one container of the run that needs nothing but its query. */
function about(end: string, passed: Passed = {}): Handler {
  return async (means, call, [name]) => {
    const { id } = await own(means, name);
    const onward: Onward = {
      path: `/containers/${id}${end}`,
      query: queryOf(call, passed),
      ...(passed.isLong && { deadlineMs: 'none' }),
    };
    await pass(means, call, onward);
  };
}

/**
 * The body to send. What it refers to and is not there is a fault of the body: clients take a plain "not found" for a missing image.
 */
function rewrite(world: ContainerWorld, body: unknown, name: string | undefined): Fields {
  try {
    return rewriteContainer(world, body, name);
  } catch (error) {
    if (!(error instanceof FailureError) || error.failure.reason !== 'not-found') throw error;
    throw wrong(error.failure.message);
  }
}

const create: Handler = async (means, call) => {
  const body = await readBody(call);
  const world = await lookAround(means, body);
  if ((await means.objects.containers()).length >= maxContainers) {
    throw fail('forbidden', `a run may have ${maxContainers} containers at a time`);
  }
  const name = call.query.get('name')?.replace(/^\//, '') || undefined;
  const query = {
    name: means.names.toEngine(name ?? means.createId().slice(0, 12)),
    platform: call.query.get('platform') ?? undefined,
  };
  const request = { method: 'POST', path: '/containers/create', query, deadlineMs: 60_000 } as const;
  sendJson(call, 201, await means.scope.engine.json({ ...request, body: rewrite(world, body, name) }));
};

const listFilters = ['id', 'label', 'status', 'exited', 'ancestor', 'health', 'name', 'expose', 'publish', 'is-task'];

const list: Handler = async ({ scope, objects }, call) => {
  const { name, ...filters } = readFilters(call.query.get('filters'), listFilters);
  const query = {
    ...Object.fromEntries(pick(call.query, ['all', 'size', 'limit'])),
    filters: withLabels(filters, runLabels(scope)),
  };
  const known = new Map((await objects.containers()).map((one) => [one.id, one]));
  const answer = await scope.engine.json({ method: 'GET', path: `${call.version}/containers/json`, query });
  const shown = (Array.isArray(answer) ? answer.filter(isObject) : []).flatMap((container) => {
    const found = known.get(textField(container, 'Id') ?? '');
    if (found === undefined || !matchesName(name === undefined ? {} : { name }, found.name)) return [];
    return [{ ...container, Names: [`/${found.name}`] }];
  });
  sendJson(call, 200, shown);
};

const inspect: Handler = async (means, call, [written]) => {
  const { id, name } = await own(means, written);
  const query = Object.fromEntries(pick(call.query, ['size']));
  const answer = await means.scope.engine.json({ method: 'GET', path: `${call.version}/containers/${id}/json`, query });
  sendJson(call, 200, { ...(answer as object), Name: `/${name}` });
};

const rename: Handler = async (means, call, [written]) => {
  const { id } = await own(means, written);
  const name = means.names.toEngine(call.query.get('name') ?? '');
  await pass(means, call, { path: `/containers/${id}/rename`, query: new URLSearchParams({ name }) });
};

const attachFields = ['stdin', 'stdout', 'stderr', 'stream', 'logs', 'detachKeys'];

const attach: Handler = async (means, call, [name]) => {
  const { id } = await own(means, name);
  const query = pick(call.query, attachFields);
  await passConnection(means, call, { path: `/containers/${id}/attach`, query, deadlineMs: 'none' });
};

/** Starts a container once the others of the run have made room for it among the run's processors. */
function starting(end: string, passed: Passed): Handler {
  return async (means, call, [name]) => {
    const { id } = await own(means, name);
    const onward = { path: `/containers/${id}${end}`, query: queryOf(call, passed), ...(passed.isLong && noDeadline) };
    await means.scope.cpus.starting(id, undefined, () => pass(means, call, onward));
  };
}

/** A call after which a container may have ended. */
function ending(handler: Handler): Handler {
  return async (means, call, names) => {
    try {
      await handler(means, call, names);
    } finally {
      means.scope.cpus.ended();
    }
  };
}

const putArchive: Handler = async (means, call, [name]) => {
  const { id } = await own(means, name);
  await pass(means, call, {
    path: `/containers/${id}/archive`,
    query: pick(call.query, ['path', 'noOverwriteDirNonDir', 'copyUIDGID']),
    headers: { 'Content-Type': 'application/x-tar' },
    body: call.body,
    deadlineMs: 'none',
  });
};

const prune: Handler = async ({ scope }, call) => {
  const filters = readFilters(call.query.get('filters'), ['until', 'label']);
  const query = { filters: withLabels(filters, { ...runLabels(scope), [labels.origin]: 'socket' }) };
  sendJson(call, 200, await scope.engine.json({ method: 'POST', path: '/containers/prune', query }));
};

const createExec: Handler = async (means, call, [name]) => {
  const { id } = await own(means, name);
  const body = rewriteExec(await readBody(call));
  sendJson(call, 201, await means.scope.engine.json({ method: 'POST', path: `/containers/${id}/exec`, body }));
};

/** Makes sure that an `exec` is of a container of the run. */
async function ownExec({ scope, objects }: Means, id: string | undefined): Promise<string> {
  if (id === undefined || !/^[0-9a-f]{64}$/.test(id)) throw missing('exec instance', id ?? '');
  const known = await scope.engine.json({ method: 'GET', path: `/exec/${id}/json` });
  const container = objectField(known, 'ContainerID');
  if ((await objects.containers()).every((one) => one.id !== container)) throw missing('exec instance', id);
  return id;
}

const startExec: Handler = async (means, call, [written]) => {
  const body = JSON.stringify(rewriteExecStart(await readBody(call)));
  const path = `/exec/${await ownExec(means, written)}/start`;
  await passConnection(means, call, {
    path,
    body,
    headers: { 'Content-Type': 'application/json' },
    deadlineMs: 'none',
  });
};

const aboutExec =
  (end: string): Handler =>
  async (means, call, [written]) => {
    await pass(means, call, {
      path: `/exec/${await ownExec(means, written)}/${end}`,
      query: pick(call.query, ['h', 'w']),
    });
  };

const logFields = ['follow', 'stdout', 'stderr', 'since', 'until', 'timestamps', 'tail', 'details'];

/** What steps may do with containers: with all of their run, the steps' own too; never with others. */
export const containerRoutes: Readonly<Record<string, Handler>> = {
  'POST /containers/create': create,
  'GET /containers/json': list,
  'POST /containers/prune': prune,
  'GET /containers/*/json': inspect,
  'GET /containers/*/top': about('/top'),
  'GET /containers/*/logs': about('/logs', { query: logFields, isLong: true }),
  'GET /containers/*/changes': about('/changes'),
  'GET /containers/*/export': about('/export', { isLong: true }),
  'GET /containers/*/stats': about('/stats', { query: ['stream', 'one-shot'], isLong: true }),
  'GET /containers/*/archive': about('/archive', { query: ['path'], isLong: true }),
  'HEAD /containers/*/archive': about('/archive', { query: ['path'] }),
  'PUT /containers/*/archive': putArchive,
  'POST /containers/*/start': starting('/start', { query: ['detachKeys'] }),
  'POST /containers/*/stop': ending(about('/stop', { query: ['t', 'signal'], isLong: true })),
  'POST /containers/*/restart': starting('/restart', { query: ['t', 'signal'], isLong: true }),
  'POST /containers/*/kill': ending(about('/kill', { query: ['signal'] })),
  'POST /containers/*/pause': about('/pause'),
  'POST /containers/*/unpause': about('/unpause'),
  'POST /containers/*/wait': ending(about('/wait', { query: ['condition'], isLong: true })),
  'POST /containers/*/resize': about('/resize', { query: ['h', 'w'] }),
  'POST /containers/*/rename': rename,
  'POST /containers/*/attach': attach,
  // Volumes without a name carry no label: they must go with their container.
  'DELETE /containers/*': ending(about('', { query: ['force'], fixed: { v: '1' } })),
  'POST /containers/*/exec': createExec,
  'POST /exec/*/start': startExec,
  'POST /exec/*/resize': aboutExec('resize'),
  'GET /exec/*/json': aboutExec('json'),
};
