import { redisScript } from './redis-link.ts';

/**
 * The Lua of the Redis store. One script is one step of a write on the keys of one hash tag, so that workers need no locks
 * and a repeated call changes nothing. Names come in as KEYS, bytes as ARGV; record and entry formats are those of
 * fact-record.ts and sighting.ts, which the contract tests hold these to.
 *
 * Lua compares strings by the server's locale (strcoll), under which different bytes may count as equal: `greater` compares
 * bytes.
 */
const GREATER = `
local function greater(a, b)
  if a == b then return false end
  local at, last = 1, math.min(#a, #b)
  while at <= last do
    local x, y = string.sub(a, at, at + 63), string.sub(b, at, at + 63)
    if x ~= y then
      for i = 1, math.min(#x, #y) do
        local p, q = string.byte(x, i), string.byte(y, i)
        if p ~= q then return p > q end
      end
      return #a > #b
    end
    at = at + 64
  end
  return #a > #b
end
`;

/** A record: version 8, at 8, key count 1, digests 8 each, JSON. */
const RECORD = `
${GREATER}
local function text(record) return string.sub(record, 18 + 8 * string.byte(record, 17)) end
local function supersedes(ours, theirs)
  local a, b = string.sub(ours, 1, 16), string.sub(theirs, 1, 16)
  if a ~= b then return greater(a, b) end
  return greater(text(ours), text(theirs))
end
local function members(record, id)
  local at = string.sub(record, 9, 16)
  local list = { 'T' .. at .. id }
  for i = 0, string.byte(record, 17) - 1 do
    list[#list + 1] = 'K' .. string.sub(record, 18 + 8 * i, 25 + 8 * i) .. at .. id
  end
  return list
end
local function unindex(index, record, id) redis.call('ZREM', index, unpack(members(record, id))) end
local function index_it(index, record, id)
  local places = {}
  for _, member in ipairs(members(record, id)) do
    places[#places + 1] = '0'
    places[#places + 1] = member
  end
  redis.call('ZADD', index, unpack(places))
end
local function drop(facts, index, id)
  local record = redis.call('HGET', facts, id)
  if not record then return 0 end
  redis.call('HDEL', facts, id)
  unindex(index, record, id)
  return 1
end
`;

/**
 * Puts facts. KEYS: registry, facts and index of each series. ARGV: most facts of a series, TTL ms, then (shard, bit of
 * the kind, 1 when its TTL is to be set anew) of each series, and in the end a packed array of runs (fact-runs.ts). A run
 * is of one series: its number, how many facts, 1 when an id comes twice, length of the last list, and three lists: the
 * ids; id and record of each; 0 and member of each place in the index, facts in the same order. A series that begins gets
 * its TTL and its place in the registry in any case.
 * A run is written at once while all of it fits under the cap, which leaves what one fact after the other would; near the
 * cap each is written, and the oldest evicted, before the next. A call has so few facts that its places fit Lua's stack.
 * What is new is taken from the lists as it is: making strings is what takes Lua its time.
 * Returns the number evicted, then 1 or 0 for each fact: whether it changed anything.
 */
export const PUT = redisScript(`${RECORD}
local most, ttl, count = tonumber(ARGV[1]), ARGV[2], #KEYS / 3
local put = cmsgpack.unpack(ARGV[#ARGV])
local answers, evicted, begun = { 0 }, 0, {}
local function head(record) return string.sub(record, 9, 17 + 8 * string.byte(record, 17)) end
local function put_one(series, facts, index, id, record)
  local changed = 0
  if redis.call('HSETNX', facts, id, record) == 1 then
    changed = 1
    index_it(index, record, id)
    local size = redis.call('HLEN', facts)
    if size == 1 then begun[series] = true end
    if size > most then
      local oldest = redis.call('ZRANGEBYLEX', index, '[T', '(U', 'LIMIT', 0, 1)[1]
      if oldest then
        local gone = string.sub(oldest, 10)
        evicted = evicted + drop(facts, index, gone)
        if gone == id then changed = 0 end
      end
    end
  else
    local known = redis.call('HGET', facts, id)
    if supersedes(record, known) then
      changed = 1
      unindex(index, known, id)
      redis.call('HSET', facts, id, record)
      index_it(index, record, id)
    end
  end
  answers[#answers + 1] = changed
end
local function put_some(facts, index, ids, records, places, known)
  local values, gone, added = {}, {}, {}
  for n, old in ipairs(known) do
    local id, record = put[ids + n - 1], put[records + 2 * n - 1]
    local width = 2 + 2 * string.byte(record, 17)
    local changed = not old or supersedes(record, old)
    if changed then
      values[#values + 1] = id
      values[#values + 1] = record
      if not old or head(old) ~= head(record) then
        if old then
          for _, member in ipairs(members(old, id)) do gone[#gone + 1] = member end
        end
        for place = places, places + width - 1 do added[#added + 1] = put[place] end
      end
    end
    places = places + width
    answers[#answers + 1] = changed and 1 or 0
  end
  if #gone > 0 then redis.call('ZREM', index, unpack(gone)) end
  if #values > 0 then redis.call('HSET', facts, unpack(values)) end
  if #added > 0 then redis.call('ZADD', index, unpack(added)) end
end
local function put_together(facts, index, ids, records, places, last)
  local known = redis.call('HMGET', facts, unpack(put, ids, records - 1))
  for _, old in ipairs(known) do
    if old then return put_some(facts, index, ids, records, places, known) end
  end
  redis.call('HSET', facts, unpack(put, records, places - 1))
  redis.call('ZADD', index, unpack(put, places, last))
  for _ = ids, records - 1 do answers[#answers + 1] = 1 end
end
local first = 1
while first <= #put do
  local series, size, twice = put[first], put[first + 1], put[first + 2]
  local ids = first + 4
  local records = ids + size
  local places = records + 2 * size
  local last = places + put[first + 3] - 1
  local facts, index = KEYS[3 * series - 1], KEYS[3 * series]
  local stored = redis.call('HLEN', facts)
  if twice == 0 and stored + size <= most then
    if stored == 0 then begun[series] = true end
    put_together(facts, index, ids, records, places, last)
  else
    for n = 1, size do put_one(series, facts, index, put[ids + n - 1], put[records + 2 * n - 1]) end
  end
  first = last + 1
end
for series = 1, count do
  if begun[series] or ARGV[3 * series + 2] == '1' then
    local registry, facts, index = KEYS[3 * series - 2], KEYS[3 * series - 1], KEYS[3 * series]
    local shard, kind = ARGV[3 * series], tonumber(ARGV[3 * series + 1])
    redis.call('PEXPIRE', facts, ttl)
    redis.call('PEXPIRE', index, ttl)
    local bits = tonumber(redis.call('HGET', registry, shard) or '0')
    if bit.band(bits, kind) == 0 and redis.call('EXISTS', facts) == 1 then
      redis.call('HSET', registry, shard, bit.bor(bits, kind))
    end
  end
end
answers[1] = evicted
return answers`);

/**
 * Members of indexes between two, with what they name: the newest ones, or the oldest. KEYS: index and hash of each
 * series. ARGV: most facts in all, and a packed array with, for each question, its series' number, lower end, upper end (as
 * ZRANGEBYLEX wants them), most, length of what stands before the id, 1 for the oldest. Returns for each a list of id,
 * value, id, value…, in the order read; nil for the questions that were left when more facts than most had been found.
 */
export const FIND = redisScript(`
local left, asked, answers = tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2]), {}
for n = 1, #asked / 6 do
  local at, answer = 6 * n - 5, false
  if left > 0 then
    local index, hash, found = KEYS[2 * asked[at] - 1], KEYS[2 * asked[at]], nil
    if asked[at + 5] == 1 then
      found = redis.call('ZRANGEBYLEX', index, asked[at + 1], asked[at + 2], 'LIMIT', 0, asked[at + 3])
    else
      found = redis.call('ZREVRANGEBYLEX', index, asked[at + 2], asked[at + 1], 'LIMIT', 0, asked[at + 3])
    end
    left = left - #found
    local before = asked[at + 4]
    answer = {}
    for first = 1, #found, 1000 do
      local ids = {}
      for i = first, math.min(first + 999, #found) do ids[#ids + 1] = string.sub(found[i], before + 1) end
      local values = redis.call('HMGET', hash, unpack(ids))
      for i, id in ipairs(ids) do
        if values[i] then
          answer[#answer + 1] = id
          answer[#answer + 1] = values[i]
        end
      end
    end
  end
  answers[n] = answer
end
return answers`);

/**
 * Removes the oldest facts of a series. KEYS: registry, facts, index. ARGV: upper end (exclusive), most, shard, bit of the
 * kind. Takes the shard out of the registry when nothing is left. Returns how many went.
 */
export const TRIM = redisScript(`${RECORD}
local old = redis.call('ZRANGEBYLEX', KEYS[3], '[T', ARGV[1], 'LIMIT', 0, ARGV[2])
local gone = 0
for _, member in ipairs(old) do gone = gone + drop(KEYS[2], KEYS[3], string.sub(member, 10)) end
if redis.call('EXISTS', KEYS[2]) == 0 then
  local bits = tonumber(redis.call('HGET', KEYS[1], ARGV[3]) or '0')
  local left = bit.band(bits, bit.bnot(tonumber(ARGV[4])))
  if left == 0 then redis.call('HDEL', KEYS[1], ARGV[3]) else redis.call('HSET', KEYS[1], ARGV[3], left) end
end
return gone`);

/** Counts members of indexes. KEYS: an index for each. ARGV: a packed array with the lower and the upper end of each. */
export const COUNT = redisScript(`
local ends, counts = cmsgpack.unpack(ARGV[1]), {}
for i, key in ipairs(KEYS) do counts[i] = redis.call('ZLEXCOUNT', key, ends[2 * i - 1], ends[2 * i]) end
return counts`);

/** Reads entries. KEYS: a hash for each; ARGV: its field. Returns the entries, false for one that is not there. */
export const PEEK = redisScript(`
local entries = {}
for i, key in ipairs(KEYS) do entries[i] = redis.call('HGET', key, ARGV[i]) end
return entries`);

/**
 * Puts an alert when its record (revision 8, at 8, JSON) is greater than the one known. KEYS: alerts, times. ARGV: id,
 * record, most alerts, 1 to put it whatever is known. Returns 1 or 0, and how many were evicted.
 */
export const PUT_ALERT = redisScript(`${GREATER}
local id, record = ARGV[1], ARGV[2]
local known = redis.call('HGET', KEYS[1], id)
if known and (record == known or ARGV[4] == '0' and not greater(record, known)) then return { 0, 0 } end
redis.call('HSET', KEYS[1], id, record)
if known then redis.call('ZREM', KEYS[2], string.sub(known, 9, 16) .. id) end
redis.call('ZADD', KEYS[2], 0, string.sub(record, 9, 16) .. id)
if known or redis.call('HLEN', KEYS[1]) <= tonumber(ARGV[3]) then return { 1, 0 } end
local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
redis.call('ZREM', KEYS[2], oldest)
redis.call('HDEL', KEYS[1], string.sub(oldest, 9))
if string.sub(oldest, 9) == id then return { 0, 1 } end
return { 1, 1 }`);

/** Removes an alert. KEYS: alerts, times. ARGV: id. */
export const DROP_ALERT = redisScript(`
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return 0 end
redis.call('ZREM', KEYS[2], string.sub(known, 9, 16) .. ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])`);
