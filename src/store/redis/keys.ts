import { createHash } from 'node:crypto';
import type { RunId } from '../../domain/run.ts';

/** SHA-256 in hexadecimal: a safe part of a key for any text. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Those of base images and campaigns. */
function createPatchKeys(prefix: string) {
  return {
    baseImages: `${prefix}:base-images`,
    baseImageChanges: `${prefix}:base-image-changes`,
    baseImageRemovals: `${prefix}:base-image-removals`,
    baseImageCount: `${prefix}:base-image-count`,
    baseImageForgotten: `${prefix}:base-image-forgotten`,
    observedImages: `${prefix}:observed-images`,
    campaignRecords: `${prefix}:campaign-records`,
    campaignNodes: (id: string) => `${prefix}:campaign-nodes:${id}`,
    campaigns: `${prefix}:campaigns`,
    openCampaigns: `${prefix}:open-campaigns`,
    overCampaigns: `${prefix}:over-campaigns`,
    campaignCount: `${prefix}:campaign-count`,
    boardVersion: `${prefix}:board-version`,
    boardLog: `${prefix}:board-log`,
    campaignUpdate: (updateId: string) => `${prefix}:campaign-update:${hash(updateId)}`,
  };
}

/**
 * The names of everything that the store keeps in Redis; all start with the prefix, so that an ACL user can be held to it
 * (`~prefix:*`, channels `&prefix:*`).
 *
 * - `run:<id>` a hash: `record` (JSON), `version` (of the record), `created` (milliseconds), `attempt`, `phase`, `seq` (of the last event), `outputs`,
 *   `bytes`, `cut`, `token`; the numbers are missing as long as they are what they begin with. `first`: the first event, until there is a second
 * - `events:<id>` a stream: one entry for each event, its id `<seq>-0`, its field `e` the event with its time as JSON; made with the second event,
 *   since a stream costs more than all else that is written of a new run
 * - `plan:<id>` the sealed plan of a run at work
 * - sorted sets of run ids by their number: `runs` all, `active` those that are not final, `unarchived` final ones whose events are live,
 *   `archived` those that are kept for ever, `removable` final ones that are not; `index:<field>:<value>` those with a status, type, task, pool or
 *   digest of a pushed image (run-indexes.ts); `places:<task>` those that have a place at work. `next-run` is the last number given
 * - `tasks` a sorted set of the tasks' keys (names in lower case) in alphabetical order; `task-records`, `task-versions` hashes by those keys;
 *   `task-repositories` a hash: the repository hashes of each task; `repository:<hash>`, `timed-tasks` sets of task keys
 * - `delivery:<hash>` a hash: `record` (JSON, as it arrived), `result` (JSON), `arrivals`, `hook`, `payload`; `deliveries`, `hook-deliveries:<hook>`
 *   sorted sets of their hashes by the time of arrival in microseconds; `delivery-payloads` those worked off whose payload is still there,
 *   `delivery-bytes` what these payloads come to
 * - `secrets` a hash: what may be shown of each secret, by name; `secret-values` a hash: their sealed values; `registry-credentials` and
 *   `registry-credential-values` the same of credentials by registry
 * - `notifications`, `webhooks` hashes: the records of those that are told of runs and of the registry, by name; for each name `outgoing:<name>` a
 *   hash: deliveries by id, `outgoing-bodies:<name>` a hash: what is sent, `outgoing-order:<name>` a sorted set of their ids in the order in which
 *   they came, `outgoing-count:<name>` the last place in it
 * - `base-images` a hash by tasks' keys: the version of the task, a space, and what its images stand on as JSON; sorted sets of these keys by the
 *   number of a change: `base-image-changes` that wrote it last, `base-image-removals` that removed it (the last ones); `base-image-count` the
 *   last number, `base-image-forgotten` that of the youngest removal that is not in its set any more; `observed-images` a hash by references: how
 *   often it has changed, a space, and what it stands for as JSON
 * - `campaign-records` a hash of campaigns by id (JSON); `campaign-nodes:<id>` a hash of its nodes by tasks' keys (JSON); sorted sets of ids:
 *   `campaigns` all by number, `open-campaigns` those on the board by number, `over-campaigns` the others by the time they were over (milliseconds);
 *   `campaign-count` the last number given; `board-version`; `board-log` a list of what the last versions changed, newest first;
 *   `campaign-update:<hash>` the campaign that took an update up
 * - `key:<hash>` the run that an idempotency key made; `once:<hash>` a claim; `worker:<name>` a beat, `workers` their names
 */
export function createKeys(prefix: string) {
  return {
    prefix,
    run: (id: RunId) => `${prefix}:run:${id}`,
    events: (id: RunId) => `${prefix}:events:${id}`,
    plan: (id: RunId) => `${prefix}:plan:${id}`,
    runs: `${prefix}:runs`,
    active: `${prefix}:active`,
    unarchived: `${prefix}:unarchived`,
    archived: `${prefix}:archived`,
    removable: `${prefix}:removable`,
    index: (field: 'status' | 'type' | 'task' | 'pool' | 'image', value: string) =>
      `${prefix}:index:${field}:${value.toLowerCase()}`,
    places: (task: string) => `${prefix}:places:${task.toLowerCase()}`,
    nextRun: `${prefix}:next-run`,
    idempotency: (key: string) => `${prefix}:key:${hash(key)}`,
    once: (key: string) => `${prefix}:once:${hash(key)}`,
    worker: (name: string) => `${prefix}:worker:${name}`,
    workers: `${prefix}:workers`,
    tasks: `${prefix}:tasks`,
    taskRecords: `${prefix}:task-records`,
    taskVersions: `${prefix}:task-versions`,
    taskRepositories: `${prefix}:task-repositories`,
    timedTasks: `${prefix}:timed-tasks`,
    repositories: `${prefix}:repository:`,
    repository: (key: string) => `${prefix}:repository:${hash(key)}`,
    delivery: (member: string) => `${prefix}:delivery:${member}`,
    deliveries: `${prefix}:deliveries`,
    hookDeliveries: (hook: string) => `${prefix}:hook-deliveries:${hook.toLowerCase()}`,
    deliveryPayloads: `${prefix}:delivery-payloads`,
    deliveryBytes: `${prefix}:delivery-bytes`,
    secrets: `${prefix}:secrets`,
    secretValues: `${prefix}:secret-values`,
    registryCredentials: `${prefix}:registry-credentials`,
    registryCredentialValues: `${prefix}:registry-credential-values`,
    notifications: `${prefix}:notifications`,
    webhooks: `${prefix}:webhooks`,
    outgoing: (name: string) => `${prefix}:outgoing:${name}`,
    outgoingBodies: (name: string) => `${prefix}:outgoing-bodies:${name}`,
    outgoingOrder: (name: string) => `${prefix}:outgoing-order:${name}`,
    outgoingCount: (name: string) => `${prefix}:outgoing-count:${name}`,
    ...createPatchKeys(prefix),
    /** Channel: a run has new events; the message is the number of the last one. */
    wake: (id: RunId) => `${prefix}:wake:${id}`,
    /** Channel: a cancel was requested; the message is the run's id. */
    cancel: `${prefix}:cancel`,
  };
}

export type Keys = ReturnType<typeof createKeys>;
