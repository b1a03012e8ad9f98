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
local function list_places(places, record, id)
  for _, member in ipairs(members(record, id)) do
    places[#places + 1] = '0'
    places[#places + 1] = member
  end
end
local function index_it(index, record, id)
  local places = {}
  list_places(places, record, id)
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
 * the kind, 1 when its TTL is to be set anew) of each series, then (series number, id, record) of each fact. A series that
 * begins gets its TTL and its place in the registry in any case.
 * Facts of a series that follow each other are written together while all of them fit under the cap, which leaves what one
 * after the other would; near the cap each is written, and the oldest evicted, before the next. A call has so few facts
 * (redis-facts.ts) that their places fit Lua's stack.
 * Returns the number evicted, then 1 or 0 for each fact: whether it changed anything.
 */
export const PUT = redisScript(`${RECORD}
local most, ttl, count = tonumber(ARGV[1]), ARGV[2], #KEYS / 3
local answers, evicted, begun = { 0 }, 0, {}
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
local function put_together(facts, index, first, last)
  local ids, stored, news = {}, {}, {}
  for i = first, last, 3 do ids[#ids + 1] = ARGV[i + 1] end
  local known = redis.call('HMGET', facts, unpack(ids))
  for n, id in ipairs(ids) do
    local record, now = ARGV[first + 3 * n - 1], news[id] or known[n]
    local changed = not now or supersedes(record, now)
    if changed then stored[id], news[id] = known[n], record end
    answers[#answers + 1] = changed and 1 or 0
  end
  local gone, values, places = {}, {}, {}
  for id, record in pairs(news) do
    if stored[id] then
      for _, member in ipairs(members(stored[id], id)) do gone[#gone + 1] = member end
    end
    values[#values + 1] = id
    values[#values + 1] = record
    list_places(places, record, id)
  end
  if #gone > 0 then redis.call('ZREM', index, unpack(gone)) end
  if #values == 0 then return end
  redis.call('HSET', facts, unpack(values))
  redis.call('ZADD', index, unpack(places))
end
local first = 3 + 3 * count
while first <= #ARGV do
  local last = first
  while ARGV[last + 3] == ARGV[first] do last = last + 3 end
  local series = tonumber(ARGV[first])
  local facts, index = KEYS[3 * series - 1], KEYS[3 * series]
  local size = last > first and redis.call('HLEN', facts)
  if size and size + (last - first) / 3 + 1 <= most then
    if size == 0 then begun[series] = true end
    put_together(facts, index, first, last)
  else
    for i = first, last, 3 do put_one(series, facts, index, ARGV[i + 1], ARGV[i + 2]) end
  end
  first = last + 3
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
 * question. ARGV of each: lower end, upper end (as ZRANGEBYLEX wants them), most, length of what stands before the id, 1
 * for the oldest. Returns for each a list of id, value, id, value…, in the order read.
 */
export const FIND = redisScript(`
local answers = {}
for n = 1, #KEYS / 2 do
  local index, hash, at, found = KEYS[2 * n - 1], KEYS[2 * n], 5 * n - 4, nil
  if ARGV[at + 4] == '1' then
    found = redis.call('ZRANGEBYLEX', index, ARGV[at], ARGV[at + 1], 'LIMIT', 0, ARGV[at + 2])
  else
    found = redis.call('ZREVRANGEBYLEX', index, ARGV[at + 1], ARGV[at], 'LIMIT', 0, ARGV[at + 2])
  end
  local before, answer = tonumber(ARGV[at + 3]), {}
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

/** Reads entries. KEYS: a hash for each; ARGV: its field. Returns the entries, false for one that is not there. */
export const PEEK = redisScript(`
local entries = {}
for i, key in ipairs(KEYS) do entries[i] = redis.call('HGET', key, ARGV[i]) end
return entries`);

/**
 * Puts an alert when its record (revision 8, at 8, JSON) is greater than the one known. KEYS: alerts, times. ARGV: id,
 * record, most alerts. Returns 1 or 0, and how many were evicted.
 */
export const PUT_ALERT = redisScript(`${GREATER}
local id, record = ARGV[1], ARGV[2]
local known = redis.call('HGET', KEYS[1], id)
if known and not greater(record, known) then return { 0, 0 } end
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
