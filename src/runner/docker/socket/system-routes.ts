import { objectField } from '../json-lines.ts';
import { pick, readBody, sendJson } from './call.ts';
import { readFields, text } from './fields.ts';
import { readFilters, withLabels } from './filters.ts';
import { pass } from './forward.ts';
import type { Handler } from './handler.ts';
import { runLabels } from './objects.ts';

/** Without BuildKit: its session is a connection that cannot be looked into. */
const ping: Handler = (means, call) =>
  pass(means, call, { path: '/_ping', answerHeaders: { 'builder-version': '1' }, deadlineMs: 10_000 });

const version: Handler = (means, call) => pass(means, call, { path: '/version' });

/** What clients go by; the rest is about the machine and about others. */
const toldOfEngine = [
  'ServerVersion',
  'OSType',
  'OperatingSystem',
  'Architecture',
  'NCPU',
  'MemTotal',
  'Driver',
  'LoggingDriver',
].concat(['CgroupDriver', 'CgroupVersion', 'KernelVersion', 'IndexServerAddress', 'MemoryLimit', 'PidsLimit']);

const info: Handler = async ({ scope, objects }, call) => {
  const answer = await scope.engine.json({ method: 'GET', path: `${call.version}/info` });
  const told = Object.fromEntries(toldOfEngine.map((name) => [name, objectField(answer, name)]));
  const containers = (await objects.containers()).length;
  sendJson(call, 200, { ...told, Name: 'slipway', Containers: containers, Swarm: { LocalNodeState: 'inactive' } });
};

const events: Handler = async (means, call) => {
  const filters = readFilters(call.query.get('filters'), ['event', 'label', 'type']);
  const query = pick(call.query, ['since', 'until']);
  query.set('filters', withLabels({ ...filters, type: ['container'] }, runLabels(means.scope)));
  await pass(means, call, { path: '/events', query, deadlineMs: 'none' });
};

const authRules = { username: text, password: text, email: text, serveraddress: text, identitytoken: text, auth: text };

const auth: Handler = async (means, call) => {
  const body = JSON.stringify(readFields(await readBody(call), authRules, ''));
  await pass(means, call, { path: '/auth', body, headers: { 'Content-Type': 'application/json' } });
};

/** What steps may ask about the engine itself. */
export const systemRoutes: Readonly<Record<string, Handler>> = {
  'GET /_ping': ping,
  'HEAD /_ping': ping,
  'GET /version': version,
  'GET /info': info,
  'GET /events': events,
  'POST /auth': auth,
};
