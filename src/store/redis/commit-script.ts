import type { Redis } from 'ioredis';
import type { RunId } from '../../domain/run.ts';
import type { RunPhase } from '../run-changes.ts';
import type { Keys } from './keys.ts';
import { defineScript, runScript } from './script.ts';

/**
 * Writes events and, with them, a record. KEYS: run, events, unarchived, then the sorted sets that the run leaves and those that it joins.
 * ARGV: 1 id, 2 number, 3 wake channel, 4 token, 5 attempt that must be at work or '', 6 version that the record must have or '',
 * 7 record, 8 phase, 9 its attempt, 10 and 11 most output in events and bytes, 12 the event that marks the cut,
 * 13 how many sorted sets it leaves, then for each event 'o' (output) or 'e', and its JSON.
 */
const commitScript = defineScript(`
local found = redis.call('HMGET', KEYS[1], 'phase', 'attempt', 'version', 'token', 'seq', 'outputs', 'bytes', 'cut', 'first')
if not found[1] then return {'unknown'} end
if ARGV[4] == found[4] then return {'repeated'} end
if ARGV[5] ~= '' and (found[1] ~= 'active' or found[2] ~= ARGV[5]) then return {'superseded'} end
if ARGV[6] ~= '' and found[3] ~= ARGV[6] then
  return {'changed', found[3], redis.call('HGET', KEYS[1], 'record')}
end
local seq, outputs, bytes, cut = tonumber(found[5] or 1), tonumber(found[6] or 0), tonumber(found[7] or 0), found[8]
local maxOutputs, maxBytes = tonumber(ARGV[10]), tonumber(ARGV[11])
local function add(json)
  seq = seq + 1
  redis.call('XADD', KEYS[2], string.format('%.0f-0', seq), 'e', json)
end
if found[9] and #ARGV > 13 then
  redis.call('XADD', KEYS[2], '1-0', 'e', found[9])
  redis.call('HDEL', KEYS[1], 'first')
end
for i = 14, #ARGV, 2 do
  local json = ARGV[i + 1]
  if ARGV[i] == 'e' then
    add(json)
  elseif not cut then
    outputs, bytes = outputs + 1, bytes + #json
    if outputs <= maxOutputs and bytes <= maxBytes then
      add(json)
    else
      cut = '1'
      redis.call('HSET', KEYS[1], 'cut', cut)
      add(ARGV[12])
    end
  end
end
redis.call('HSET', KEYS[1], 'seq', string.format('%.0f', seq), 'outputs', outputs, 'bytes', string.format('%.0f', bytes),
  'token', ARGV[4])
local version = found[3]
if ARGV[6] ~= '' then
  version = string.format('%.0f', tonumber(version) + 1)
  redis.call('HSET', KEYS[1], 'record', ARGV[7], 'version', version, 'phase', ARGV[8], 'attempt', ARGV[9])
  if ARGV[8] == 'final' and found[1] ~= 'final' then redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1]) end
  local join = 4 + tonumber(ARGV[13])
  for i = 4, join - 1 do redis.call('ZREM', KEYS[i], ARGV[1]) end
  for i = join, #KEYS do redis.call('ZADD', KEYS[i], ARGV[2], ARGV[1]) end
end
if #ARGV > 13 then redis.call('PUBLISH', ARGV[3], string.format('%.0f', seq)) end
return {'done', version}
`);

/** One atomic write to a run. */
export interface Commit {
  readonly id: RunId;
  readonly number: number;
  /** Tells this write from all others: the same one arriving twice has an effect once. */
  readonly token: string;
  /** The attempt that must be at work; undefined: whatever is. */
  readonly attempt?: number;
  /** The new record, and the version of the one that it was made from. */
  readonly record?: {
    readonly from: string;
    readonly json: string;
    readonly phase: RunPhase;
    readonly attempt: number;
    /** The sorted sets that the run leaves and joins with it. */
    readonly leave: readonly string[];
    readonly join: readonly string[];
  };
  readonly events: readonly { readonly isOutput: boolean; readonly json: string }[];
  readonly limit: { readonly events: number; readonly bytes: number; readonly cutJson: string };
}

export type Committed =
  | { readonly kind: 'done'; readonly version: string }
  /** This very write had been done before. */
  | { readonly kind: 'repeated' }
  | { readonly kind: 'unknown' | 'superseded' }
  /** Another write came first: the record as it is now. */
  | { readonly kind: 'changed'; readonly version: string; readonly json: string };

/** The script's arguments about the record; empty ones stand for "as it is". */
function recordArguments(record: Commit['record']): readonly (string | number)[] {
  return record ? [record.from, record.json, record.phase, record.attempt] : ['', '', '', ''];
}

/** Writes, or says why not. Rejects with what the client throws. */
export async function commitTo(redis: Redis, keys: Keys, commit: Commit): Promise<Committed> {
  const { id, record, limit } = commit;
  const head = [id, commit.number, keys.wake(id), commit.token, commit.attempt ?? ''];
  const { leave, join } = record ?? { leave: [], join: [] };
  const events = commit.events.flatMap(({ isOutput, json }) => [isOutput ? 'o' : 'e', json]);
  const reply = (await runScript(
    redis,
    commitScript,
    [keys.run(id), keys.events(id), keys.unarchived, ...leave, ...join],
    [...head, ...recordArguments(record), limit.events, limit.bytes, limit.cutJson, leave.length, ...events],
  )) as [Committed['kind'], string, string];
  const [kind, version, json] = reply;
  switch (kind) {
    case 'done':
      return { kind, version };
    case 'changed':
      return { kind, version, json };
    case 'repeated':
    case 'unknown':
    case 'superseded':
      return { kind };
  }
}
