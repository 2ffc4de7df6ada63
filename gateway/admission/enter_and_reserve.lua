-- What a request will take is reserved as soon as its key is recognised.
--
-- KEYS  1 as in entering.lua, then as in reserving.lua
-- ARGV  as in entering.lua, then as in reserving.lua
--
-- Replies what entering.lua returns, and last what reserving.lua does: {} where it was not asked.

local answer, at = enter()
answer[#answer + 1] = at and reserve({unpack(KEYS, 2)}, {unpack(ARGV, at)}) or {}
return answer
