-- Queues a push and takes it at once, past the order.
-- ARGV: now, worker, lease in microseconds, then the push. Gives {token, push} or {id of the active push}.

local active = call('HGET', key('active'), ARGV[5])
if active then return {active} end
local push = insert(4, 0)
local token = hold(push, ARGV[2], tonumber(ARGV[3]), '')
tell()
return {token, call('HGETALL', key('push', push.id))}
