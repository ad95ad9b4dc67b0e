import { defineScript } from './script.ts';

/**
 * Makes a run. KEYS: next-run, runs, active, then the idempotency key or none.
 * ARGV: prefix of all keys, the record as JSON without its id, the first event as JSON, seconds that the key is kept.
 * Gives the id, and 1 when it was made now or 0 when the key had made it before.
 */
export const createScript = defineScript(`
if KEYS[4] then
  local earlier = redis.call('GET', KEYS[4])
  if earlier then return {earlier, 0} end
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
redis.call('HSET', ARGV[1] .. ':run:' .. id, 'record', record, 'version', 1, 'attempt', 0, 'phase', 'queued',
  'seq', 1, 'outputs', 0, 'bytes', 0)
redis.call('XADD', ARGV[1] .. ':events:' .. id, '1-0', 'e', ARGV[3])
redis.call('ZADD', KEYS[2], number, id)
redis.call('ZADD', KEYS[3], number, id)
if KEYS[4] then redis.call('SET', KEYS[4], id, 'EX', ARGV[4]) end
return {id, 1}
`);
