-- Find an API key's record, count the request against its organization's limit, and read what the
-- request will need from the caches: all in one trip. Prepended to the scripts that need it.
--
-- KEYS[1]  the key's cached record
-- ARGV     1 the digest of the key that was presented (hex)
--          2 how many plans there are, then for each: its name, requests per minute
--          then how many entries to read, and for each: its key up to the organization's id, and
--          from there on
--
-- Returns {} where the record is not cached, {record} where the digest is not the record's or the
-- key is not usable (who knows a public prefix, or stole a key that was deactivated since, must not
-- use up the organization's limit), else {record, {allowed, remaining, reset, wait}, entry...}; and
-- where in ARGV the next argument is, if the request is allowed.

local function enter()
  local held = redis.call(
    'HMGET', KEYS[1], 'record', 'digest', 'usable_until', 'organization', 'plan')
  if not held[1] then return {} end
  local now = now_us()
  if held[2] ~= ARGV[1] or now / 1000000 >= tonumber(held[3]) then return {held[1]} end
  local organization = held[4]

  local per_minute
  local at = 3 + 2 * tonumber(ARGV[2])
  for i = 3, at - 1, 2 do
    if ARGV[i] == held[5] then per_minute = tonumber(ARGV[i + 1]) end
  end
  local limit = 'carillon:requests:' .. organization
  local found = peek(limit, per_minute, 60000000, now)
  local answer = {held[1], reply(found)}
  if found.allowed == 0 then return answer end
  take(limit, found)

  local wanted, after = {}, at + 1 + 2 * tonumber(ARGV[at])
  for i = at + 1, after - 1, 2 do
    wanted[#wanted + 1] = ARGV[i] .. organization .. ARGV[i + 1]
  end
  if #wanted > 0 then
    local entries = redis.call('MGET', unpack(wanted))
    for i = 1, #wanted do answer[2 + i] = entries[i] end
  end
  return answer, after
end
