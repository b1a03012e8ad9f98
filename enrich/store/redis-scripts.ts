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
  local pairs_ = {}
  for _, member in ipairs(members(record, id)) do
    pairs_[#pairs_ + 1] = '0'
    pairs_[#pairs_ + 1] = member
  end
  redis.call('ZADD', index, unpack(pairs_))
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
 * Returns the number evicted, then 1 or 0 for each fact: whether it changed anything.
 */
export const PUT = redisScript(`${RECORD}
local most, ttl, count = tonumber(ARGV[1]), ARGV[2], #KEYS / 3
local answers, evicted, begun = { 0 }, 0, {}
for i = 3 + 3 * count, #ARGV, 3 do
  local series, id, record = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  local facts, index = KEYS[3 * series - 1], KEYS[3 * series]
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

/**
 * Adds sightings. KEYS: horizons, hashes of entries and of days. ARGV: TTL ms, then of each sighting: the numbers of its
 * horizon, its entries and its days among the keys, field, day, 1 when tainted, most fresh destinations of a day.
 * Returns how many were dropped for the last reason. Numbers follow sighting.ts; a day's value is seen + fresh × 2^26.
 */
export const OBSERVE = redisScript(`
local FRESH = 67108864
local ttl, horizons = ARGV[1], {}
local dropped, written = 0, {}
local function unsigned(x) if x < 0 then return x + 4294967296 end return x end
local function add(key, day, amount)
  redis.call('HINCRBY', key, day, string.format('%.0f', amount))
end
local function trim(key, oldest)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local day = tonumber(field)
    if day and day < oldest then redis.call('HDEL', key, field) end
  end
end
local function horizon_of(key)
  if not horizons[key] then horizons[key] = tonumber(redis.call('GET', key) or '0') end
  return horizons[key]
end
for i = 2, #ARGV, 7 do
  local horizon = horizon_of(KEYS[tonumber(ARGV[i])])
  local entries, days_key = KEYS[tonumber(ARGV[i + 1])], KEYS[tonumber(ARGV[i + 2])]
  local field, day = ARGV[i + 3], tonumber(ARGV[i + 4])
  local tainted, most = ARGV[i + 5] == '1', tonumber(ARGV[i + 6])
  local known = redis.call('HGET', entries, field)
  local first, last, days, first_tainted
  local moved_from, moved, seen_added, full = nil, false, false, false
  if not known then
    local today = tonumber(redis.call('HGET', days_key, day) or '0')
    full = math.floor(today / FRESH) >= most
    first, last, days, first_tainted = day, day, 1, tainted
    moved, seen_added = true, true
  else
    local low
    first, last, low = struct.unpack('>I2I2I4', known)
    first_tainted = low % 2 == 1
    days = unsigned(bit.bor(low, 1))
    if day < first then
      moved, moved_from = true, first
      first, first_tainted = day, tainted
    elseif day == first then
      first_tainted = first_tainted or tainted
    end
    local ahead, before = day - last, days
    if ahead >= 32 then
      last, days = day, 1
    elseif ahead > 0 then
      last, days = day, unsigned(bit.bor(bit.lshift(days, ahead), 1))
    elseif ahead > -32 then
      days = unsigned(bit.bor(days, bit.lshift(1, -ahead)))
    end
    seen_added = ahead > 0 or days ~= before
  end
  if full then
    dropped = dropped + 1
  else
    local low = days - 1
    if first_tainted then low = days end
    local entry = struct.pack('>I2I2I4', first, last, low)
    if entry ~= known then
      redis.call('HSET', entries, field, entry)
      written[entries], written[days_key] = true, true
    end
    if moved or seen_added then
      local newest = tonumber(redis.call('HGET', days_key, 'n') or '-1')
      local oldest = math.max(horizon, math.max(newest, day) - 31)
      local amount = 0
      if seen_added then amount = 1 end
      if moved then amount = amount + FRESH end
      if day >= oldest then add(days_key, day, amount) end
      if moved_from and moved_from >= oldest then add(days_key, moved_from, -FRESH) end
      if day > newest and day >= horizon then
        redis.call('HSET', days_key, 'n', day)
        trim(days_key, oldest)
      end
    end
  end
end
for _, key in ipairs(KEYS) do
  if written[key] then redis.call('PEXPIRE', key, ttl) end
end
return dropped`);

/** Reads entries. KEYS: a hash for each; ARGV: its field. Returns the entries, false for one that is not there. */
export const PEEK = redisScript(`
local entries = {}
for i, key in ipairs(KEYS) do entries[i] = redis.call('HGET', key, ARGV[i]) end
return entries`);

/**
 * Removes entries of destinations last seen before a day, and raises the horizon to it. KEYS: horizon, then hashes of
 * entries. ARGV: day. Returns how many entries went.
 */
export const FORGET = redisScript(`
local day, gone = tonumber(ARGV[1]), 0
if day > tonumber(redis.call('GET', KEYS[1]) or '0') then redis.call('SET', KEYS[1], ARGV[1]) end
for i = 2, #KEYS do
  local all = redis.call('HGETALL', KEYS[i])
  for j = 1, #all, 2 do
    if struct.unpack('>I2', all[j + 1], 3) < day then gone = gone + redis.call('HDEL', KEYS[i], all[j]) end
  end
end
return gone`);

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
