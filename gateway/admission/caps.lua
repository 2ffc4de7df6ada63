-- Frequency caps: for each recipient and category a sorted set of notification ids by the
-- millisecond at which they are to be sent, which may lie ahead. Prepended to the scripts that
-- need it. A gateway's clock may be this many milliseconds off:
local CLOCK_SLACK = 60000

local function whole(number)
  return string.format('%.0f', number)
end

-- How many are sent within `window` before or after `at`.
local function neighbours(key, window, at)
  return redis.call('ZCOUNT', key, '(' .. whole(at - window), '(' .. whole(at + window))
end

-- Would one more at `at` make it more than `most` within any `window`? What is counted is not.
local function is_capped(key, most, window, at, id)
  if neighbours(key, window, at) < most or redis.call('ZSCORE', key, id) then return false end
  local before = redis.call('ZREVRANGEBYSCORE', key, whole(at), '(' .. whole(at - window),
    'WITHSCORES', 'LIMIT', 0, most)
  local after = redis.call('ZRANGEBYSCORE', key, '(' .. whole(at), '(' .. whole(at + window),
    'WITHSCORES', 'LIMIT', 0, most)
  local times = {}
  for i = #before, 2, -2 do times[#times + 1] = tonumber(before[i]) end
  times[#times + 1] = at
  local place = #times
  for i = 2, #after, 2 do times[#times + 1] = tonumber(after[i]) end
  for first = math.max(1, place - most), math.min(place, #times - most) do
    if times[first + most] - times[first] < window then return true end
  end
  return false
end

local function take_cap(key, window, at, id, now)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', whole(now - window - CLOCK_SLACK))
  redis.call('ZADD', key, 'NX', whole(at), id)
  local last = tonumber(redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2])
  redis.call('PEXPIRE', key, whole(math.max(last, now) - now + window + 2 * CLOCK_SLACK))
end
