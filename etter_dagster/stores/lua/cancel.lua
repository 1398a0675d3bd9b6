-- Queued to cancelled. ARGV: now, id, time of the end. Gives the push, nothing (unknown id), or its
-- status where that forbids it.

local push = read(ARGV[2])
if not push then return {} end
if not may(push, 'cancelled') then return {push.status} end
unwait(push)
finish(push, 'cancelled', ARGV[3])
-- The company's turn is given back: its later pushes do not wait behind what was cancelled.
local last = call('ZRANGE', key('waiting', push.lane, push.company), -1, -1, 'WITHSCORES')[2]
local tag = int(call('HGET', key('tags', push.lane), push.company))
local claimed = int(call('HGET', counters, 'claimed_tag:' .. push.lane))
call('HSET', key('tags', push.lane), push.company, math.max(int(last), math.min(tag, claimed)))
tell()
return call('HGETALL', key('push', push.id))
