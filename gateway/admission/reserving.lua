-- Claim a request_id, take one of the recipient's limit and of a frequency cap, and reserve one of
-- the month's quota: all of them, or none. Prepended to the scripts that need it.
--
-- keys  1 the recipient's limit, or ''
--       2 the month's counter, or '' where nothing is counted
--       3 the month's reservations: a sorted set of notification ids by the second of reserving
--       4 the request_id's marker, or '' where the client gave none
--       5 the frequency cap, or '' or left out where there is none
-- args  1 notification id   2 quota
--       3 what PostgreSQL counted, or '' where it was not asked
--       4 recipient: most   5 recipient: window in microseconds
--       6 seconds after which a reservation is suspicious   7 seconds that quota keys are kept
--       8 seconds that a marker is kept
--       9 cap: most   10 cap: window in milliseconds   11 cap: the millisecond it is to be sent at
--       12 how much must be left of the quota   13 '1' where nothing may be taken of the recipient's
--       limit: else it is refused
--       then pairs: reservations key, notification id that was committed
--
-- A reservation is counted at once and remembered by the notification's id until it is known to be
-- committed: asking twice counts once. Returns {verdict, number, {remaining, reset, wait},
-- suspects}; the number is what is used of the quota, or the age of the marker in seconds.

local function reserve(keys, args)
  local recipient_key, counter, reservations, marker = keys[1], keys[2], keys[3], keys[4]
  local cap = keys[5] or ''
  local id = args[1]
  for i = 14, #args, 2 do redis.call('ZREM', args[i], args[i + 1]) end

  local microseconds = now_us()
  local now = math.floor(microseconds / 1000000)
  local shown = {0, 0, 0}

  if marker ~= '' then
    local began = redis.call('GET', marker)
    if began then return {'began', now - tonumber(began), shown, {}} end
  end

  local cap_window, send_at
  if cap ~= '' then
    cap_window, send_at = tonumber(args[10]), tonumber(args[11])
    if is_capped(cap, tonumber(args[9]), cap_window, send_at, id) then
      return {'capped', 0, shown, {}}
    end
  end

  local recipient
  if recipient_key ~= '' then
    recipient = peek(recipient_key, tonumber(args[4]), tonumber(args[5]), microseconds)
    shown = {recipient.remaining, math.ceil(recipient.reset), math.ceil(recipient.wait)}
    if recipient.allowed == 0 or (args[13] == '1' and not recipient.untouched) then
      return {'recipient_limit', 0, shown, {}}
    end
  end

  local used, suspects = 0, {}
  if counter ~= '' then
    if args[3] ~= '' then redis.call('SET', counter, args[3], 'EX', args[7], 'NX') end
    used = tonumber(redis.call('GET', counter))
    if not used then return {'uncounted', 0, shown, {}} end
    suspects = redis.call(
      'ZRANGEBYSCORE', reservations, '-inf', now - tonumber(args[6]), 'LIMIT', 0, 20)
    if used + tonumber(args[12]) >= tonumber(args[2]) then
      return {'quota', used, shown, suspects}
    end
    if redis.call('ZADD', reservations, 'NX', now, id) == 1 then
      used = redis.call('INCR', counter)
      redis.call('EXPIRE', reservations, args[7])
    end
  end
  if cap ~= '' then take_cap(cap, cap_window, send_at, id, microseconds / 1000) end
  if recipient then take(recipient_key, recipient) end
  if marker ~= '' then redis.call('SET', marker, now, 'EX', args[8]) end
  return {'reserved', used, shown, suspects}
end
