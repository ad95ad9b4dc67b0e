import { defineScript } from './script.ts';

/**
 * Writes a record, if what is there allows it. KEYS: base-images, base-image-changes, base-image-removals, base-image-count.
 * ARGV: 1 task key, 2 record as JSON, 3 the version of its task, 4 the number of the change that must have written the one that is there
 * ('' for none), or '*' for any that is not of a later version of the task. Gives 1 when it was written, otherwise 0.
 */
export const putRecordScript = defineScript(`
local task, record, version = ARGV[1], ARGV[2], ARGV[3]
if ARGV[4] == '*' then
  local found = redis.call('HGET', KEYS[1], task)
  if found and tonumber(string.match(found, '^%d+')) > tonumber(version) then return 0 end
elseif (redis.call('ZSCORE', KEYS[2], task) or '') ~= ARGV[4] then
  return 0
end
redis.call('HSET', KEYS[1], task, version .. ' ' .. record)
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[4]), task)
redis.call('ZREM', KEYS[3], task)
return 1
`);

/**
 * Removes a record. KEYS: as above, then base-image-forgotten. ARGV: 1 task key, 2 how many removals are remembered.
 */
export const removeRecordScript = defineScript(`
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], redis.call('INCR', KEYS[4]), ARGV[1])
while redis.call('ZCARD', KEYS[3]) > tonumber(ARGV[2]) do
  redis.call('SET', KEYS[5], redis.call('ZPOPMIN', KEYS[3])[2])
end
return 1
`);

/**
 * Says what has changed. KEYS: as for removing. ARGV: the number of the last change that is known, or '' for none.
 * Gives the number of the last change, 1 if all there is follows, the keys of records that were written, and those of removed ones.
 */
export const changesScript = defineScript(`
local last, known = redis.call('GET', KEYS[4]) or '0', ARGV[1]
if known == last then return {last, 0, {}, {}} end
local forgotten = redis.call('GET', KEYS[5]) or '0'
if known == '' or tonumber(known) < tonumber(forgotten) or tonumber(known) > tonumber(last) then
  return {last, 1, redis.call('ZRANGE', KEYS[2], 0, -1), {}}
end
local from = '(' .. known
return {last, 0, redis.call('ZRANGEBYSCORE', KEYS[2], from, '+inf'), redis.call('ZRANGEBYSCORE', KEYS[3], from, '+inf')}
`);

/**
 * Notes what a reference stands for. KEYS: observed-images. ARGV: 1 reference key, 2 what was seen as JSON, 3 how many changes are known.
 * Gives 1 when that was right, otherwise 0.
 */
export const observeScript = defineScript(`
local found = redis.call('HGET', KEYS[1], ARGV[1])
local changes = found and string.match(found, '^%d+') or '0'
if changes ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', tonumber(changes) + 1) .. ' ' .. ARGV[2])
return 1
`);
