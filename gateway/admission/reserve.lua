-- Take one of the recipient's limit and reserve one of the month's quota: both, or neither.
--
-- KEYS  1 the recipient's limit, or ''
--       2 the month's counter, or '' where nothing is counted
--       3 the month's reservations: a sorted set of notification ids by the second of reserving
-- ARGV  1 notification id   2 quota
--       3 what PostgreSQL counted, or '' where it was not asked
--       4 recipient: most   5 recipient: window in microseconds
--       6 seconds after which a reservation is suspicious   7 seconds that the keys are kept
--       then pairs: reservations key, notification id that was committed
--
-- A reservation is counted at once and remembered by the notification's id until it is known to be
-- committed: asking twice counts once. Replies {verdict, used, {remaining, reset, wait}, suspects}.

local counter, reservations, id = KEYS[2], KEYS[3], ARGV[1]
for i = 8, #ARGV, 2 do redis.call('ZREM', ARGV[i], ARGV[i + 1]) end

local recipient
local shown = {0, 0, 0}
if KEYS[1] ~= '' then
  recipient = peek(KEYS[1], tonumber(ARGV[4]), tonumber(ARGV[5]), now_us())
  shown = {recipient.remaining, math.ceil(recipient.reset), math.ceil(recipient.wait)}
  if recipient.allowed == 0 then return {'recipient_limit', 0, shown, {}} end
end

local used, suspects = 0, {}
if counter ~= '' then
  if ARGV[3] ~= '' then redis.call('SET', counter, ARGV[3], 'EX', ARGV[7], 'NX') end
  used = tonumber(redis.call('GET', counter))
  if not used then return {'uncounted', 0, shown, {}} end
  local now = tonumber(redis.call('TIME')[1])
  suspects = redis.call(
    'ZRANGEBYSCORE', reservations, '-inf', now - tonumber(ARGV[6]), 'LIMIT', 0, 20)
  if used >= tonumber(ARGV[2]) then return {'quota', used, shown, suspects} end
  if redis.call('ZADD', reservations, 'NX', now, id) == 1 then
    used = redis.call('INCR', counter)
  end
  redis.call('EXPIRE', reservations, ARGV[7])
end
if recipient then take(KEYS[1], recipient) end
return {'reserved', used, shown, suspects}
