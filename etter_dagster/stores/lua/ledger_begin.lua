-- Records an attempt that may begin by the situation of a version. ARGV: now, version ('': it may not),
-- breaker before, half-open (1 or 0), most attempts, kept microseconds, then names and values of the
-- attempt. Gives {'lost'}, {'attempts', number, last error}, {'refused'}, {'again'} or
-- {'begun', attempt}.

local attempt = {}
for i = 7, #ARGV, 2 do attempt[ARGV[i]] = ARGV[i + 1] end
local of_push = key('push', attempt.workflow_id, attempt.key, attempt.part)
local assessor = attempt.assessor

if call('GET', key('taken', attempt.subject)) ~= attempt.holder then return {'lost'} end
local before = call('LLEN', of_push)
if before >= tonumber(ARGV[5]) then
  return {'attempts', before, call('HGET', key('attempt', call('LINDEX', of_push, -1)), 'error')}
end
if ARGV[2] == '' then return {'refused'} end
if (call('GET', key('version')) or '0') ~= ARGV[2] then return {'again'} end

local id = digits(call('INCR', key('attempt_id')))
attempt.id = id
local place = key('attempt', id)
call('HSET', place, unpack(ARGV, 7))
call('HSET', place, 'attempt_id', id, 'number', before + 1, 'outcome', 'open',
  'began_at', digits(now))
call('RPUSH', of_push, id)
call('ZADD', key('attempts'), id, id)
call('SET', key('call', attempt.key, attempt.part), id)
call('RPUSH', key('role', assessor, attempt.role_id), id)
call('ZADD', key('begun', assessor), digits(now), id)
call('ZREMRANGEBYSCORE', key('begun', assessor), '-inf', digits(now - tonumber(ARGV[6])))
call('HINCRBY', key('open', assessor), attempt.holder, 1)
call('SADD', key('opened', attempt.holder), id)
call('SADD', key('subject', attempt.subject), id)
call('HINCRBY', key('outcomes'), 'open', 1)
spend(attempt, tonumber(attempt.cost))
call('INCR', key('version'))
if ARGV[4] == '1' then
  call('SET', key('breaker', assessor),
    (string.gsub(ARGV[3], '"probe":[^,}]+', '"probe":' .. id)))
end
return {'begun', call('HGETALL', place)}
