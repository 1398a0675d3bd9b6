-- The queue at a glance. ARGV: now, the paid assessor, closed assessors. Gives {waiting, oldest} per
-- lane, what waits and what is held per company, {company, assessor} of expired leases, what waits
-- per company for each closed assessor and for the paid one, and for how long claims are held.

local lanes, expired = {}, {}
for _, lane in ipairs(LANES) do
  local oldest = call('ZRANGE', key('oldest', lane), 0, 0, 'WITHSCORES')
  table.insert(lanes, {call('ZCARD', key('waiting', lane)), oldest[2] or ''})
end
for _, id in ipairs(call('ZRANGEBYSCORE', leases, '-inf', '(' .. digits(now))) do
  table.insert(expired, call('HMGET', key('push', id), 'company', 'assessor'))
end
local closed = {}
for i = 3, #ARGV do table.insert(closed, call('HGETALL', key('backlog', ARGV[i]))) end
return {lanes, call('HGETALL', backlog), call('HGETALL', in_flight), expired, closed,
  call('HGETALL', key('backlog', ARGV[2])), claims_held()}
