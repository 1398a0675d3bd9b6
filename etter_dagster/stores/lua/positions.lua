-- Where pushes wait. ARGV: now, then ids. Gives {served, waiting} per lane, then {id, lane, place in
-- the lane} of those that are queued.

local lanes, found = {}, {}
for _, lane in ipairs(LANES) do
  table.insert(lanes, {int(call('HGET', counters, 'served:' .. lane)),
    call('ZCARD', key('waiting', lane))})
end
for at = 2, #ARGV do
  local push = call('HMGET', key('push', ARGV[at]), 'lane', 'place')
  local rank = push[1] and call('ZRANK', key('waiting', push[1]), push[2])
  if rank then table.insert(found, {ARGV[at], push[1], rank + 1}) end
end
return {lanes, found}
