-- Take one of each recipient's limit and frequency cap, and reserve one of the month's quota, for
-- many notifications: reserve.lua over and over, without request_ids, and each for itself.
--
-- KEYS  1 the month's counter, or '' where nothing is counted
--       2 the month's reservations, as in reserve.lua
--       then for each notification: the recipient's limit, or ''; the frequency cap, or ''
-- ARGV  1 quota   2 what PostgreSQL counted, or '' where it was not asked
--       3 recipient: most   4 recipient: window in microseconds
--       5 seconds after which a reservation is suspicious   6 seconds that quota keys are kept
--       then for each notification: its id; cap: most, window in milliseconds, the millisecond it
--       is to be sent at
--
-- Replies {'uncounted'}, with nothing taken, or {'taken', used of the quota, suspects, verdicts};
-- a verdict is 0 for what is reserved, -1 where the quota is used up, -2 for what is capped, else
-- the microseconds to wait for the recipient's limit.

local counter, reservations = KEYS[1], KEYS[2]
local quota, most, window = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local microseconds = now_us()
local now = math.floor(microseconds / 1000000)

local used, suspects = 0, {}
if counter ~= '' then
  if ARGV[2] ~= '' then redis.call('SET', counter, ARGV[2], 'EX', ARGV[6], 'NX') end
  used = tonumber(redis.call('GET', counter))
  if not used then return {'uncounted'} end
  suspects = redis.call(
    'ZRANGEBYSCORE', reservations, '-inf', now - tonumber(ARGV[5]), 'LIMIT', 0, 500)
end

local function reserve(limit, cap, at)
  local id = ARGV[at]
  local cap_window, send_at = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  if cap ~= '' and is_capped(cap, tonumber(ARGV[at + 1]), cap_window, send_at, id) then
    return -2
  end
  local recipient
  if limit ~= '' then
    recipient = peek(limit, most, window, microseconds)
    if recipient.allowed == 0 then return math.ceil(recipient.wait) end
  end
  if counter ~= '' then
    if used >= quota then return -1 end
    if redis.call('ZADD', reservations, 'NX', now, id) == 1 then used = used + 1 end
  end
  if cap ~= '' then take_cap(cap, cap_window, send_at, id, microseconds / 1000) end
  if recipient then take(limit, recipient) end
  return 0
end

local verdicts, before = {}, used
for i = 3, #KEYS, 2 do
  verdicts[#verdicts + 1] = reserve(KEYS[i], KEYS[i + 1], 2 * i + 1)
end
if used > before then
  redis.call('INCRBY', counter, used - before)
  redis.call('EXPIRE', reservations, ARGV[6])
end
return {'taken', used, suspects, verdicts}
