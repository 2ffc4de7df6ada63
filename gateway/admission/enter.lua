-- Replies what entering.lua returns first.

return (enter())
