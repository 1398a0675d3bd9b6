-- A company's pushes go, unless one is held. ARGV: now, company, then ids of archived pushes of it.
-- Gives how many are held, and how many are gone.

local company = ARGV[2]
local held_now, gone = int(call('HGET', in_flight, company)), 0
if held_now > 0 then return {held_now, 0} end

-- From the end, so that the company's head changes once.
for _, lane in ipairs(LANES) do
  for _, place in ipairs(call('ZREVRANGE', key('waiting', lane, company), 0, -1)) do
    local push = read(id_of(place))
    unwait(push)
    call('HDEL', key('active'), push.role)
  end
  call('HDEL', key('tags', lane), company)
end
for _, listed in ipairs(call('ZRANGE', key('listed', company), 0, -1)) do
  local id = string.sub(listed, 17)  -- behind the digits of the time
  call('ZREM', key('listed'), listed)
  call('ZREM', key('outbox'), id)
  gone = gone + call('DEL', key('push', id))
  call('DEL', key('request', id))
end
call('DEL', key('listed', company))
for at = 3, #ARGV do
  local id = ARGV[at]
  call('ZREM', key('ended'), id)
  gone = gone + call('DEL', key('push', id))
  call('DEL', key('request', id))
end
tell()
return {0, gone}
