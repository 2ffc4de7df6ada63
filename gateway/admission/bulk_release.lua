-- Give back what bulk_reserve.lua took; the quota and the caps once, however often it is asked.
--
-- KEYS  as for bulk_reserve.lua
-- ARGV  1 recipient: most   2 recipient: window in microseconds
--       then for each notification its id

local counter, reservations = KEYS[1], KEYS[2]
local interval = ARGV[2] / ARGV[1]
local now = now_us()
local released = 0
for i = 3, #KEYS, 2 do
  local limit, cap, id = KEYS[i], KEYS[i + 1], ARGV[(i + 3) / 2]
  if counter ~= '' then released = released + redis.call('ZREM', reservations, id) end
  if cap ~= '' then redis.call('ZREM', cap, id) end
  local full_at = limit ~= '' and tonumber(redis.call('GET', limit))
  if full_at then
    local left = full_at - interval
    if left > now then
      redis.call('SET', limit, string.format('%.0f', left), 'PX', math.ceil((left - now) / 1000))
    else
      redis.call('DEL', limit)
    end
  end
end
if released > 0 then redis.call('DECRBY', counter, released) end
return released
