-- The queue at a glance. ARGV: now. Gives {waiting, oldest} per lane, what waits and what is held per
-- company, and the companies of expired leases.

local lanes, expired = {}, {}
for _, lane in ipairs(LANES) do
  local oldest = call('ZRANGE', key('oldest', lane), 0, 0, 'WITHSCORES')
  table.insert(lanes, {call('ZCARD', key('waiting', lane)), oldest[2] or ''})
end
for _, id in ipairs(call('ZRANGEBYSCORE', leases, '-inf', '(' .. digits(now))) do
  table.insert(expired, call('HGET', key('push', id), 'company'))
end
return {lanes, call('HGETALL', backlog), call('HGETALL', in_flight), expired}
