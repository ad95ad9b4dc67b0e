import { defineScript } from './script.ts';

/** How many of the board's last versions it is known what they changed. */
const keptVersions = 256;

/** Gives the board its next version. */
const raise = `
local function raise(entry)
  redis.call('INCR', KEYS[1])
  redis.call('LPUSH', KEYS[2], entry)
  redis.call('LTRIM', KEYS[2], 0, ${keptVersions - 1})
end`;

/**
 * Says what the board is at. KEYS: board-version, board-log. ARGV: the version that is known, or ''.
 * Gives the version, and what each version since the known one has changed, newest first; nothing when that is not known any more.
 */
export const boardStateScript = defineScript(`
local version = redis.call('GET', KEYS[1]) or '0'
local gap = tonumber(version) - (tonumber(ARGV[1]) or 0)
if ARGV[1] == '' or gap <= 0 or gap > ${keptVersions} then return {version, {}} end
return {version, redis.call('LRANGE', KEYS[2], 0, gap - 1)}
`);

/**
 * Writes a decision when the board has the expected version. KEYS: board-version, board-log, campaign-count, campaigns, open-campaigns,
 * over-campaigns, campaign-records.
 * ARGV: 1 expected version, 2 entry for the log, 3 what keys of nodes start with, 4 seconds that updates are remembered, 5 how many campaigns
 * are written, 6 how many have nodes written; then for each written one: id, number, when it was over (milliseconds) or '', record, how many
 * updates it has, their keys; then for each one with nodes: id, how many blocks, and the blocks: lines, a field and a value in turn.
 * Gives 1, 0 when the version is another, -1 when there are nodes of a campaign that there is not: nothing is written then.
 */
export const commitBoardScript = defineScript(`${raise}
local function split(block)
  local lines, from, to = {}, 1, nil
  repeat
    to = string.find(block, '\\n', from, true)
    lines[#lines + 1] = string.sub(block, from, (to or 0) - 1)
    from = (to or 0) + 1
  until not to
  return lines
end
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return 0 end
local at, places, written = 7, {}, {}
for _ = 1, tonumber(ARGV[5]) do
  places[#places + 1], written[ARGV[at]] = at, true
  at = at + 5 + tonumber(ARGV[at + 4])
end
local nodes = at
for _ = 1, tonumber(ARGV[6]) do
  if not written[ARGV[at]] and redis.call('HEXISTS', KEYS[7], ARGV[at]) == 0 then return -1 end
  at = at + 2 + tonumber(ARGV[at + 1])
end
for _, from in ipairs(places) do
  local id, number, over = ARGV[from], ARGV[from + 1], ARGV[from + 2]
  redis.call('HSET', KEYS[7], id, ARGV[from + 3])
  redis.call('ZADD', KEYS[4], number, id)
  redis.call('ZREM', KEYS[over == '' and 6 or 5], id)
  if over == '' then redis.call('ZADD', KEYS[5], number, id) else redis.call('ZADD', KEYS[6], over, id) end
  if tonumber(number) > tonumber(redis.call('GET', KEYS[3]) or '0') then redis.call('SET', KEYS[3], number) end
  for key = from + 5, from + 4 + tonumber(ARGV[from + 4]) do redis.call('SET', ARGV[key], id, 'EX', ARGV[4]) end
end
at = nodes
for _ = 1, tonumber(ARGV[6]) do
  local last = at + 1 + tonumber(ARGV[at + 1])
  for block = at + 2, last do redis.call('HSET', ARGV[3] .. ARGV[at], unpack(split(ARGV[block]))) end
  at = last + 1
end
raise(ARGV[2])
return 1
`);

/**
 * Forgets campaigns that are over. KEYS: as for writing. ARGV: 1 before when they must have been over (milliseconds), 2 how many at most,
 * 3 what keys of nodes start with, 4 the entry for the log of a version that changed nothing. Gives how many were forgotten.
 */
export const removeCampaignsScript = defineScript(`${raise}
local ids = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  redis.call('ZREM', KEYS[4], id)
  redis.call('ZREM', KEYS[6], id)
  redis.call('HDEL', KEYS[7], id)
  redis.call('UNLINK', ARGV[3] .. id)
end
if #ids > 0 then raise(ARGV[4]) end
return #ids
`);
