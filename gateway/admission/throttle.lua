-- Count one call against one limit of its own: a client's address, where there is no key yet.
--
-- KEYS[1]  the limit
-- ARGV     1 how many   2 in how many microseconds
--
-- Replies {allowed, remaining, reset, wait}.

local found = peek(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), now_us())
if found.allowed == 1 then take(KEYS[1], found) end
return reply(found)
