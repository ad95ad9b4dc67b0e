import { defineScript } from './script.ts';

/**
 * Notes an arrival. KEYS: deliveries, delivery-payloads, delivery-bytes.
 * ARGV: 1 what all keys start with, 2 hash of the id, 3 record, 4 payload, 5 hook or '', 6 now and 7 the oldest time kept (microseconds),
 * 8 how many are kept. Gives 1 when it is new, otherwise 0 and the delivery's record, result and arrivals.
 */
export const receiveScript = defineScript(`
local prefix, member = ARGV[1], ARGV[2]
local function keyOf(one) return prefix .. ':delivery:' .. one end
local function forget(one)
  local hook = redis.call('HGET', keyOf(one), 'hook')
  if hook then redis.call('ZREM', prefix .. ':hook-deliveries:' .. hook, one) end
  if redis.call('ZREM', KEYS[2], one) == 1 then
    redis.call('DECRBY', KEYS[3], redis.call('HSTRLEN', keyOf(one), 'payload'))
  end
  redis.call('ZREM', KEYS[1], one)
  redis.call('DEL', keyOf(one))
end
local known = redis.call('ZSCORE', KEYS[1], member)
if known and tonumber(known) > tonumber(ARGV[7]) then
  redis.call('HINCRBY', keyOf(member), 'arrivals', 1)
  local found = redis.call('HMGET', keyOf(member), 'record', 'result', 'arrivals')
  return {0, found[1], found[2] or '', found[3]}
end
if known then forget(member) end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local score = tonumber(ARGV[6])
if last[2] then score = math.max(score, tonumber(last[2]) + 1) end
score = string.format('%.0f', score)
redis.call('HSET', keyOf(member), 'record', ARGV[3], 'payload', ARGV[4], 'arrivals', 1)
redis.call('ZADD', KEYS[1], score, member)
if ARGV[5] ~= '' then
  redis.call('HSET', keyOf(member), 'hook', ARGV[5])
  redis.call('ZADD', prefix .. ':hook-deliveries:' .. ARGV[5], score, member)
end
for _, one in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[7], 'LIMIT', 0, 100)) do forget(one) end
local surplus = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[8])
if surplus > 0 then
  for _, one in ipairs(redis.call('ZRANGE', KEYS[1], 0, math.min(surplus, 100) - 1)) do forget(one) end
end
return {1}
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
