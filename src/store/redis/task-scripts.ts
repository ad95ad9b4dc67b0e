import { defineScript } from './script.ts';

/** Takes a task out of the sets of its repositories and of the tasks with timers. KEYS: task-repositories, timed-tasks. */
const leave = `
local function leave(names, timed, task, prefix)
  for hash in string.gmatch(redis.call('HGET', names, task) or '', '%S+') do
    redis.call('SREM', prefix .. hash, task)
  end
  redis.call('HDEL', names, task)
  redis.call('SREM', timed, task)
end`;

/**
 * Writes a task when it has the expected version. KEYS: tasks, task-records, task-versions, task-repositories, timed-tasks.
 * ARGV: 1 key, 2 name, 3 the record as JSON without its name, 4 expected version, 5 '1' when it has timers, 6 what repository sets
 * start with, then the hashes of its repositories. Gives 1 and the name that it has, or 0 and the version that it has.
 */
export const putTaskScript = defineScript(`${leave}
local task, expected = ARGV[1], tonumber(ARGV[4])
local version = tonumber(redis.call('HGET', KEYS[3], task) or '0')
if version ~= expected then return {0, version} end
local earlier = redis.call('HGET', KEYS[2], task)
local name = earlier and string.match(earlier, '^{"name":"([^"]*)"') or ARGV[2]
leave(KEYS[4], KEYS[5], task, ARGV[6])
redis.call('ZADD', KEYS[1], 0, task)
redis.call('HSET', KEYS[2], task, '{"name":"' .. name .. '",' .. string.sub(ARGV[3], 2))
redis.call('HSET', KEYS[3], task, string.format('%.0f', expected + 1))
if ARGV[5] == '1' then redis.call('SADD', KEYS[5], task) end
local hashes = {}
for i = 7, #ARGV do
  redis.call('SADD', ARGV[6] .. ARGV[i], task)
  hashes[#hashes + 1] = ARGV[i]
end
if #hashes > 0 then redis.call('HSET', KEYS[4], task, table.concat(hashes, ' ')) end
return {1, name}
`);

/** Deletes a task. KEYS as above; ARGV: key, what repository sets start with. Gives 1 when it was there. */
export const deleteTaskScript = defineScript(`${leave}
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
leave(KEYS[4], KEYS[5], ARGV[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1
`);
