-- Notifications on their way (stores/notices.py). ARGV: now, what to do, and what that needs.
--   put     kind, id, kind, id, ...
--   take    n, lease in microseconds. Gives {id, kind, version, sent, attempts} each.
--   done    id, version, sent, microseconds that a told one is kept
--   later   id, microseconds
--   forget  id, id, ...

local due = key('notices')

local function name(id)
  return key('notice', id)
end

local acts = {}

function acts.put()
  for at = 3, #ARGV, 2 do
    local kind, id = ARGV[at], ARGV[at + 1]
    local known = call('EXISTS', name(id)) == 1
    if not known or kind == 'batch' then
      call('HINCRBY', name(id), 'version', 1)
      call('HSET', name(id), 'kind', kind, 'attempts', 0)
      call('PERSIST', name(id))
      call('ZADD', due, now, id)
    end
  end
end

function acts.take()
  local found = {}
  for _, id in ipairs(call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, ARGV[3])) do
    call('ZADD', due, now + tonumber(ARGV[4]), id)
    local row = call('HMGET', name(id), 'kind', 'version', 'sent', 'attempts')
    table.insert(found, {id, row[1], row[2], row[3] or '', row[4]})
  end
  return found
end

function acts.done()
  local id = ARGV[3]
  if ARGV[5] ~= '' then call('HSET', name(id), 'sent', ARGV[5]) end
  call('HSET', name(id), 'attempts', 0)
  if call('HGET', name(id), 'version') == ARGV[4] then
    call('ZREM', due, id)
    call('PEXPIRE', name(id), math.ceil(tonumber(ARGV[6]) / 1000))
  else
    call('ZADD', due, now, id)
  end
end

function acts.later()
  call('HINCRBY', name(ARGV[3]), 'attempts', 1)
  call('ZADD', due, now + tonumber(ARGV[4]), ARGV[3])
end

function acts.forget()
  for at = 3, #ARGV do
    call('ZREM', due, ARGV[at])
    call('DEL', name(ARGV[at]))
  end
end

return acts[ARGV[2]]()
