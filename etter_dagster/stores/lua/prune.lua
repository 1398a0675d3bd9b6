-- Forgets some archived pushes that ended before. ARGV: now, time. Gives how many.

local old = call('ZRANGEBYSCORE', key('ended'), '-inf', '(' .. ARGV[2], 'LIMIT', 0, AT_ONCE)
for _, id in ipairs(old) do
  call('DEL', key('push', id), key('request', id))
  call('ZREM', key('ended'), id)
end
return #old
