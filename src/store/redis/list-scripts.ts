import { defineScript } from './script.ts';

/**
 * The numbers between which the runs lie that were created in a time: a binary search, since both grow together. KEYS: runs.
 * ARGV: what runs' keys start with, the first and the last millisecond or ''. Gives the two numbers, '' for no bound; nothing when there
 * is no such run.
 */
export const numbersScript = defineScript(`
local count = redis.call('ZCARD', KEYS[1])
local function createdAt(rank)
  local id = redis.call('ZRANGE', KEYS[1], rank, rank)[1]
  return tonumber(redis.call('HGET', ARGV[1] .. id, 'created') or '0')
end
local function countBefore(isBefore)
  local low, high = 0, count
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBefore(createdAt(middle)) then low = middle + 1 else high = middle end
  end
  return low
end
local function numberAt(rank) return redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')[2] end
local first, last = 0, count - 1
if ARGV[2] ~= '' then
  local from = tonumber(ARGV[2])
  first = countBefore(function(created) return created < from end)
end
if ARGV[3] ~= '' then
  local to = tonumber(ARGV[3])
  last = countBefore(function(created) return created <= to end) - 1
end
if first > last then return {} end
return {ARGV[2] ~= '' and numberAt(first) or '', ARGV[3] ~= '' and numberAt(last) or ''}
`);

/**
 * The newest runs that are in a set of each group. KEYS: the sets of all groups.
 * ARGV: 1 the last and 2 the first number, 3 how many are wanted, 4 how many may be looked at, then the number of sets of each group.
 * Walks through the group that has the fewest of them. Gives 1 when there are no more, the number of the last one looked at, how many
 * were, and their ids.
 */
export const idsScript = defineScript(`
local max, min, wanted, groups, smallest, fewest, at = ARGV[1], ARGV[2], tonumber(ARGV[3]), {}, 1, nil, 0
for i = 5, #ARGV do
  local group, size = {}, 0
  for k = at + 1, at + tonumber(ARGV[i]) do
    group[#group + 1] = KEYS[k]
    size = size + redis.call('ZCOUNT', KEYS[k], min, max)
  end
  at = at + tonumber(ARGV[i])
  groups[#groups + 1] = group
  if not fewest or size < fewest then smallest, fewest = #groups, size end
end
local most = #groups > 1 and tonumber(ARGV[4]) or wanted
local found = {}
for _, key in ipairs(groups[smallest]) do
  local part = redis.call('ZREVRANGEBYSCORE', key, max, min, 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #part, 2 do found[#found + 1] = {part[i], tonumber(part[i + 1])} end
end
if #groups[smallest] > 1 then table.sort(found, function(a, b) return a[2] > b[2] end) end
local function isInOne(group, id)
  for _, key in ipairs(group) do
    if redis.call('ZSCORE', key, id) then return true end
  end
  return false
end
local function isInAll(id)
  for i, group in ipairs(groups) do
    if i ~= smallest and not isInOne(group, id) then return false end
  end
  return true
end
local ids, seen, last = {}, 0, 0
while seen < math.min(#found, most) and #ids < wanted do
  seen = seen + 1
  last = found[seen][2]
  if isInAll(found[seen][1]) then ids[#ids + 1] = found[seen][1] end
end
local isOver = seen == #found and #found < most
return {isOver and 1 or 0, string.format('%.0f', last), seen, ids}
`);
