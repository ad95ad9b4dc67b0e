import { defineScript } from './script.ts';

/**
 * Makes runs. KEYS: next-run, then every sorted set that all of them join, then for each run those that it joins besides, and its idempotency
 * key if it has one. ARGV: 1 prefix of all keys, 2 the first event as JSON, 3 seconds that a key is kept, 4 when they are made in
 * milliseconds, 5 how many sorted sets all join, then for each run its record as JSON without its id and the brace before it, how many
 * sorted sets it joins besides, and 1 if it has a key or 0. Gives for each run its id, and 1 when it was made now or 0 when its key had made it before.
 */
export const createScript = defineScript(`
local prefix, event, life, at, shared = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local function nameOf(number)
  local digits, rest = '', number
  while rest > 0 do
    local digit = rest % 36
    digits = string.sub('0123456789abcdefghijklmnopqrstuvwxyz', digit + 1, digit + 1) .. digits
    rest = math.floor(rest / 36)
  end
  return 'ca' .. digits
end
local reply, members, own = {}, {}, 1 + shared
for i = 6, #ARGV, 3 do
  local sets, key = tonumber(ARGV[i + 1]), nil
  if ARGV[i + 2] == '1' then key = KEYS[own + sets + 1] end
  local earlier = key and redis.call('GET', key)
  if earlier and redis.call('EXISTS', prefix .. ':run:' .. earlier) == 1 then
    reply[#reply + 1], reply[#reply + 2] = earlier, 0
  else
    local number = redis.call('INCR', KEYS[1])
    local id = nameOf(number)
    -- As text at once: each command would turn the number into it anew.
    number = tostring(number)
    redis.call('HSET', prefix .. ':run:' .. id, 'record', '{"runId":"' .. id .. '",' .. ARGV[i], 'version', '1', 'created', at,
      'phase', 'queued', 'first', event)
    for set = own + 1, own + sets do redis.call('ZADD', KEYS[set], number, id) end
    if key then redis.call('SET', key, id, 'EX', life) end
    members[#members + 1], members[#members + 2] = number, id
    reply[#reply + 1], reply[#reply + 2] = id, 1
  end
  own = own + sets + (key and 1 or 0)
end
if #members > 0 then
  for i = 2, 1 + shared do redis.call('ZADD', KEYS[i], unpack(members)) end
end
return reply
`);
