import { defineScript } from './script.ts';

/**
 * Notes arrivals. KEYS: deliveries, delivery-payloads, delivery-bytes.
 * ARGV: 1 what all keys start with, 2 now and 3 the oldest time kept (microseconds), 4 how many are kept; then for each arrival the hash of
 * its id, its record, its payload, and its hook or ''. Gives for each 1 when it is new, otherwise the delivery's record, result and arrivals.
 */
export const receiveScript = defineScript(`
local prefix, oldest = ARGV[1], tonumber(ARGV[3])
local function keyOf(one) return prefix .. ':delivery:' .. one end
local function forget(members)
  if #members == 0 then return end
  local keys = {}
  for _, one in ipairs(members) do
    local hook = redis.call('HGET', keyOf(one), 'hook')
    if hook then redis.call('ZREM', prefix .. ':hook-deliveries:' .. hook, one) end
    if redis.call('ZREM', KEYS[2], one) == 1 then
      redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', keyOf(one), 'payload'))
    end
    keys[#keys + 1] = keyOf(one)
  end
  redis.call('ZREM', KEYS[1], unpack(members))
  redis.call('DEL', unpack(keys))
end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local score = tonumber(ARGV[2])
if last[2] then score = math.max(score, tonumber(last[2]) + 1) end
local function receive(member, record, payload, hook)
  local known = redis.call('ZSCORE', KEYS[1], member)
  if known and tonumber(known) > oldest then
    redis.call('HINCRBY', keyOf(member), 'arrivals', 1)
    local found = redis.call('HMGET', keyOf(member), 'record', 'result', 'arrivals')
    return {found[1], found[2] or '', found[3]}
  end
  if known then forget({member}) end
  local place = string.format('%.0f', score)
  score = score + 1
  redis.call('ZADD', KEYS[1], place, member)
  if hook == '' then
    redis.call('HSET', keyOf(member), 'record', record, 'payload', payload, 'arrivals', 1)
  else
    redis.call('HSET', keyOf(member), 'record', record, 'payload', payload, 'arrivals', 1, 'hook', hook)
    redis.call('ZADD', prefix .. ':hook-deliveries:' .. hook, place, member)
  end
  return 1
end
local replies = {}
for at = 5, #ARGV, 4 do
  replies[#replies + 1] = receive(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end
forget(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3], 'LIMIT', 0, 100))
local surplus = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if surplus > 0 then forget(redis.call('ZRANGE', KEYS[1], 0, math.min(surplus, 100) - 1)) end
return replies
`);

/**
 * Writes what a delivery came to, and lets the oldest payloads go when there is too much of them. KEYS: as above.
 * ARGV: 1 what all keys start with, 2 hash of the id, 3 result, 4 '1' when it is worked off, 5 most bytes of payloads.
 */
export const finishScript = defineScript(`
local function keyOf(one) return ARGV[1] .. ':delivery:' .. one end
local member = ARGV[2]
local score = redis.call('ZSCORE', KEYS[1], member)
if not score then return 0 end
redis.call('HSET', keyOf(member), 'result', ARGV[3])
local size = redis.call('HSTRLEN', keyOf(member), 'payload')
if ARGV[4] == '1' and size > 0 and redis.call('ZADD', KEYS[2], score, member) == 1 then
  redis.call('INCRBY', KEYS[3], size)
end
while tonumber(redis.call('GET', KEYS[3]) or '0') > tonumber(ARGV[5]) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  if not oldest then break end
  redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', keyOf(oldest), 'payload'))
  redis.call('HDEL', keyOf(oldest), 'payload')
end
return 1
`);
