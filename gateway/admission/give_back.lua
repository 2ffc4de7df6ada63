-- Give back the quota and the frequency caps of notifications that were counted and will not be
-- sent after all.
--
-- KEYS  1 the month's counter   2 the month's reservations, then for each notification its cap or ''
-- ARGV  how many to take off the counter, then for each notification its id
--
-- Where the counter is not known, PostgreSQL will be asked, and does not count them any more.

local used = tonumber(redis.call('GET', KEYS[1]))
local returned = tonumber(ARGV[1])
if used and returned > 0 then redis.call('DECRBY', KEYS[1], math.min(used, returned)) end
for i = 2, #ARGV do
  redis.call('ZREM', KEYS[2], ARGV[i])
  local cap = KEYS[i + 1]
  if cap ~= '' then redis.call('ZREM', cap, ARGV[i]) end
end
return 1
