-- Counts a request unless as many as the limit were counted within the window (model/rate.py).
-- ARGV: now, who, limit. Gives nothing if it was counted, else the present and {second, number} each.

local name = key('hits', ARGV[2])
local second = math.floor(now / 1000000)
local found, total = call('HGETALL', name), 0
for at = 1, #found, 2 do
  if tonumber(found[at]) < second - WINDOW_SECONDS then
    call('HDEL', name, found[at])
  else
    total = total + tonumber(found[at + 1])
  end
end
if total >= tonumber(ARGV[3]) then
  return {string.format('%.0f', now), unpack(found)}
end
call('HINCRBY', name, string.format('%.0f', second), 1)
call('EXPIRE', name, WINDOW_SECONDS + 1)
return {}
