import { defineScript } from './script.ts';

/**
 * Makes a run. KEYS: next-run, then every sorted set that the run joins, then the idempotency key if there is one.
 * ARGV: 1 prefix of all keys, 2 the record as JSON without its id, 3 the first event as JSON, 4 seconds that the key is kept or '' for none,
 * 5 when it is made in milliseconds. Gives the id, and 1 when it was made now or 0 when the key had made it before.
 */
export const createScript = defineScript(`
local hasKey = ARGV[4] ~= ''
if hasKey then
  local earlier = redis.call('GET', KEYS[#KEYS])
  if earlier and redis.call('EXISTS', ARGV[1] .. ':run:' .. earlier) == 1 then return {earlier, 0} end
end
local number = redis.call('INCR', KEYS[1])
local digits, rest = '', number
while rest > 0 do
  local digit = rest % 36
  digits = string.sub('0123456789abcdefghijklmnopqrstuvwxyz', digit + 1, digit + 1) .. digits
  rest = math.floor(rest / 36)
end
local id = 'ca' .. digits
local record = '{"runId":"' .. id .. '",' .. string.sub(ARGV[2], 2)
redis.call('HSET', ARGV[1] .. ':run:' .. id, 'record', record, 'version', 1, 'created', ARGV[5], 'attempt', 0,
  'phase', 'queued', 'seq', 1, 'outputs', 0, 'bytes', 0)
redis.call('XADD', ARGV[1] .. ':events:' .. id, '1-0', 'e', ARGV[3])
for i = 2, hasKey and #KEYS - 1 or #KEYS do redis.call('ZADD', KEYS[i], number, id) end
if hasKey then redis.call('SET', KEYS[#KEYS], id, 'EX', ARGV[4]) end
return {id, 1}
`);
