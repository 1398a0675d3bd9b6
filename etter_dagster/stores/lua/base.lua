-- What all scripts share: their keys and the present. PART is of whom the keys are, or ''.
--
-- KEYS[1]  root of all keys, in braces: in a cluster they are all in one slot
-- ARGV[1]  the present in microseconds, or '' for the server's own clock

local call = redis.call
local root = KEYS[1] .. PART

local function key(...)
  return root .. ':' .. table.concat({...}, ':')
end

local function int(text)
  return tonumber(text) or 0
end

local function present()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

local now = present()
