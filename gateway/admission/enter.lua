-- Find an API key's record and count the request against its organization's limit, in one trip.
--
-- KEYS[1]  the key's cached record
-- ARGV     the digest of the key that was presented (hex), then pairs: plan, requests per minute
--
-- Replies {} where the record is not cached, {record} where the digest is not the record's or the
-- key is not usable (who knows a public prefix, or stole a key that was deactivated since, must not
-- use up the organization's limit), else {record, allowed, remaining, reset, wait}.

local held = redis.call(
  'HMGET', KEYS[1], 'record', 'digest', 'usable_until', 'organization', 'plan')
if not held[1] then return {} end
local now = now_us()
if held[2] ~= ARGV[1] or now / 1000000 >= tonumber(held[3]) then return {held[1]} end
local per_minute
for i = 2, #ARGV, 2 do
  if ARGV[i] == held[5] then per_minute = tonumber(ARGV[i + 1]) end
end
local limit = 'carillon:requests:' .. held[4]
local found = peek(limit, per_minute, 60000000, now)
if found.allowed == 1 then take(limit, found) end
return {held[1], unpack(reply(found))}
