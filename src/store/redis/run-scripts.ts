import { defineScript } from './script.ts';

/**
 * Takes a place at work. KEYS: places, the run. ARGV: 1 what runs' keys start with, 2 id, 3 number, 4 limit. Gives 1 when it has one.
 * A run that ends gives its place back by itself; one whose record is gone is found here.
 */
export const takePlaceScript = defineScript(`
local phase = redis.call('HGET', KEYS[2], 'phase')
if not phase or phase == 'final' then return 0 end
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local other = redis.call('HGET', ARGV[1] .. id, 'phase')
  if not other or other == 'final' then redis.call('ZREM', KEYS[1], id) end
end
if redis.call('ZSCORE', KEYS[1], ARGV[2]) then return 1 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
return 1
`);

/**
 * Forgets a run when its record has still the version that was looked at. KEYS: the run, its events, its plan, then every sorted set it is in.
 * ARGV: id, version. Gives 1 when it is gone.
 */
export const removeRunScript = defineScript(`
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
for i = 4, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 1
`);
