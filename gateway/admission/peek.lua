-- What reserve.lua would find, of all limits at once; nothing is taken.
--
-- KEYS  1 the recipient's limit, or ''   2 the month's counter, or ''   3 the frequency cap, or ''
-- ARGV  1 notification id   2 recipient: most   3 recipient: window in microseconds
--       4 cap: most   5 cap: window in milliseconds   6 cap: when it is to be sent
--
-- Replies {recipient's limit as in gcra.lua, used of the quota or -1, {capped, near}}; what was
-- not asked for is {} or -1.

local recipient, used, cap = {}, -1, {}
if KEYS[1] ~= '' then
  recipient = reply(peek(KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]), now_us()))
end
if KEYS[2] ~= '' then
  used = tonumber(redis.call('GET', KEYS[2]) or -1)
end
if KEYS[3] ~= '' then
  local most, window, at = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  local capped = is_capped(KEYS[3], most, window, at, ARGV[1]) and 1 or 0
  cap = {capped, neighbours(KEYS[3], window, at)}
end
return {recipient, used, cap}
