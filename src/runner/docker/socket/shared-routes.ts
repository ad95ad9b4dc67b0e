import { objectField } from '../json-lines.ts';
import { labels } from '../scope.ts';
import { pick, readBody, sendJson } from './call.ts';
import { readEndpoint } from './endpoints.ts';
import { flag, isObject, passedOver, readFields, text, type Fields } from './fields.ts';
import { matchesName, readFilters, withLabels } from './filters.ts';
import { pass } from './forward.ts';
import type { Handler } from './handler.ts';
import { lookAround, type Means } from './means.ts';
import { findThing, runLabels, type OwnThing } from './objects.ts';
import { refuse } from './refusal.ts';
import { rewriteNetwork, rewriteVolume } from './shared-bodies.ts';

type Kind = 'network' | 'volume';

async function find({ objects }: Means, kind: Kind, name = ''): Promise<OwnThing> {
  return findThing(kind, await (kind === 'network' ? objects.networks() : objects.volumes()), name);
}

/** The engine's path of a thing, for removing it: what Slipway made for the run is needed by its steps. */
async function removable(means: Means, kind: Kind, name: string | undefined): Promise<string> {
  const { id, engineName } = await find(means, kind, name);
  if (means.names.isOfStep(engineName)) return `/${kind}s/${id}`;
  throw refuse(`the removal of the ${kind} "${name ?? ''}"`, 'it belongs to the task, and goes with the run');
}

const remove =
  (kind: Kind): Handler =>
  async (means, call, [name]) =>
    pass(means, call, { path: await removable(means, kind, name), query: pick(call.query, ['force']) });

const inspect =
  (kind: Kind): Handler =>
  async ({ scope, ...means }, call, [written]) => {
    const { id, name } = await find({ scope, ...means }, kind, written);
    const path = `${call.version}/${kind}s/${id}`;
    sendJson(call, 200, { ...((await scope.engine.json({ method: 'GET', path })) as object), Name: name });
  };

const prune =
  (kind: Kind): Handler =>
  async ({ scope }, call) => {
    const filters = readFilters(call.query.get('filters'), ['until', 'label', 'all']);
    const query = { filters: withLabels(filters, { ...runLabels(scope), [labels.origin]: 'socket' }) };
    sendJson(call, 200, await scope.engine.json({ method: 'POST', path: `/${kind}s/prune`, query }));
  };

const listFilters = ['name', 'label', 'id', 'driver', 'dangling', 'scope', 'type'];

/** Asks the engine for a list of what is the run's. */
async function askFor({ scope }: Means, path: string, written: string | null): Promise<unknown> {
  const { name: _, ...filters } = readFilters(written, listFilters);
  return scope.engine.json({ method: 'GET', path, query: { filters: withLabels(filters, runLabels(scope)) } });
}

/** The things of an answer that the name filter asks for, under the steps' names. */
function show({ names }: Means, things: unknown, written: string | null): readonly Fields[] {
  const filters = readFilters(written, listFilters);
  return (Array.isArray(things) ? things.filter(isObject) : [])
    .map((thing) => ({ ...thing, Name: names.toStep(String(thing['Name'])) }))
    .filter(({ Name }) => matchesName(filters, Name));
}

const listNetworks: Handler = async (means, call) => {
  const written = call.query.get('filters');
  sendJson(call, 200, show(means, await askFor(means, `${call.version}/networks`, written), written));
};

const listVolumes: Handler = async (means, call) => {
  const written = call.query.get('filters');
  const answer = await askFor(means, `${call.version}/volumes`, written);
  sendJson(call, 200, { Volumes: show(means, objectField(answer, 'Volumes'), written), Warnings: null });
};

const createNetwork: Handler = async ({ scope, names, labels: own }, call) => {
  const body = rewriteNetwork({ toEngine: names.toEngine, labels: own }, await readBody(call));
  sendJson(call, 201, await scope.engine.json({ method: 'POST', path: '/networks/create', body }));
};

const createVolume: Handler = async ({ scope, names, labels: own, createId }, call) => {
  const body = rewriteVolume({ toEngine: names.toEngine, labels: own }, await readBody(call), createId);
  const answer = await scope.engine.json({ method: 'POST', path: '/volumes/create', body });
  sendJson(call, 201, { ...(answer as object), Name: names.toStep(String(body['Name'])) });
};

const connect: Handler = async (means, call, [network]) => {
  const { Container: name = '', EndpointConfig } = readFields(
    await readBody(call),
    { Container: text, EndpointConfig: (value) => value },
    '',
  );
  const world = await lookAround(means);
  const body = {
    Container: world.container(String(name)),
    EndpointConfig: readEndpoint(world, EndpointConfig, /^[0-9a-f]{12,64}$/.test(String(name)) ? [] : [String(name)]),
  };
  const { id } = await find(means, 'network', network);
  await pass(means, call, {
    path: `/networks/${id}/connect`,
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });
};

const disconnect: Handler = async (means, call, [network]) => {
  const rules = { Container: text, Force: flag, EndpointConfig: passedOver };
  const { Container: name = '', Force } = readFields(await readBody(call), rules, '');
  const world = await lookAround(means);
  const { id } = await find(means, 'network', network);
  await pass(means, call, {
    path: `/networks/${id}/disconnect`,
    body: JSON.stringify({ Container: world.container(String(name)), Force }),
    headers: { 'Content-Type': 'application/json' },
  });
};

/** What steps may do with networks and volumes: with those of their run. */
export const sharedRoutes: Readonly<Record<string, Handler>> = {
  'GET /networks': listNetworks,
  'POST /networks/create': createNetwork,
  'POST /networks/prune': prune('network'),
  'POST /networks/*/connect': connect,
  'POST /networks/*/disconnect': disconnect,
  'GET /networks/*': inspect('network'),
  'DELETE /networks/*': remove('network'),
  'GET /volumes': listVolumes,
  'POST /volumes/create': createVolume,
  'POST /volumes/prune': prune('volume'),
  'GET /volumes/*': inspect('volume'),
  'DELETE /volumes/*': remove('volume'),
};
