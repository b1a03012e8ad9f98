import { redisScript } from './redis-link.ts';

// The Lua of familiarity and novelty: as in redis-scripts.ts, one script is one step of a write on the keys of one hash tag.

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
