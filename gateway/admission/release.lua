-- Give back what reserve.lua took; the quota and the cap once, however often it is asked.
--
-- KEYS  as for reserve.lua
-- ARGV  1 notification id   2 recipient: most   3 recipient: window in microseconds

if KEYS[4] ~= '' then redis.call('DEL', KEYS[4]) end
if KEYS[2] ~= '' and redis.call('ZREM', KEYS[3], ARGV[1]) == 1 then
  redis.call('DECR', KEYS[2])
end
if (KEYS[5] or '') ~= '' then redis.call('ZREM', KEYS[5], ARGV[1]) end
if KEYS[1] ~= '' then
  local full_at = tonumber(redis.call('GET', KEYS[1]))
  local left = full_at and full_at - ARGV[3] / ARGV[2]
  local now = now_us()
  if left and left > now then
    redis.call('SET', KEYS[1], string.format('%.0f', left), 'PX', math.ceil((left - now) / 1000))
  elseif full_at then
    redis.call('DEL', KEYS[1])
  end
end
return 1
