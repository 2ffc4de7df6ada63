-- Claim a request_id and read the cached template and user, in one trip.
--
-- KEYS     the request_id's marker, the template's entry, the user's entry
-- ARGV     seconds that a request may be in flight, seconds that a marker is kept
--
-- Replies {claim, template, user}. claim: 1 the marker was free and is now ours, 2 a request with
-- this id began and may still be in flight, 3 it began longer ago than that. What became of it,
-- only PostgreSQL knows.

local now = tonumber(redis.call('TIME')[1])
local since = redis.call('GET', KEYS[1])
local claim = 1
if not since then
  redis.call('SET', KEYS[1], now, 'EX', ARGV[2])
elseif now - tonumber(since) < tonumber(ARGV[1]) then
  claim = 2
else
  claim = 3
  redis.call('SET', KEYS[1], now, 'EX', ARGV[2])
end
return {claim, redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])}
