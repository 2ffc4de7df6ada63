-- The generic cell rate algorithm: of each limit one number is kept, the time at which its bucket
-- is full again ("theoretical arrival time"). Times are microseconds; the server's clock is used,
-- so that gateways with different clocks agree. Prepended to the scripts that need it.

local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- `most` requests in `window`, all at once if need be. Takes nothing: see `take`.
local function peek(key, most, window, now)
  local interval = window / most
  local full_at = math.max(tonumber(redis.call('GET', key) or now), now)
  local after = full_at + interval
  local wait = after - window - now
  if wait > 0.5 then
    return {allowed = 0, remaining = 0, reset = full_at - now, wait = wait}
  end
  local remaining = math.floor((window - (after - now)) / interval + 0.001)
  return {
    allowed = 1, remaining = remaining, reset = after - now, wait = 0, after = after,
    untouched = full_at == now
  }
end

local function take(key, peeked)
  local ttl = math.max(1, math.ceil(peeked.reset / 1000))
  redis.call('SET', key, string.format('%.0f', peeked.after), 'PX', ttl)
end

-- As it travels to Python: allowed, remaining, microseconds until full, microseconds to wait.
local function reply(peeked)
  return {peeked.allowed, peeked.remaining, math.ceil(peeked.reset), math.ceil(peeked.wait)}
end
