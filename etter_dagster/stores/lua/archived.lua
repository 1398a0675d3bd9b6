-- The history holds these ended pushes: lists leave them out, they live on for their time.
-- ARGV: now, then ids.

for at = 2, #ARGV do
  local id = ARGV[at]
  local completed = call('ZSCORE', key('outbox'), id)
  if completed then
    local push = call('HMGET', key('push', id), 'queued_us', 'company')
    local listed = digits(push[1]) .. id
    call('ZREM', key('outbox'), id)
    call('ZREM', key('listed'), listed)
    call('ZREM', key('listed', push[2]), listed)
    call('ZADD', key('ended'), completed, id)
  end
end
tell()
