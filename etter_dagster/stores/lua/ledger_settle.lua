-- How an attempt stands from now on. ARGV: now, id, outcome, cost or '' (as it is), raw answer or '',
-- breaker before, breaker after, then names and values to note. Gives the attempt, or nothing where the
-- breaker is another by now.

local attempt = read(ARGV[2])
if not set_breaker(attempt.assessor, ARGV[6], ARGV[7]) then return {} end
if ARGV[5] ~= '' then call('SET', key('answer', ARGV[2]), ARGV[5]) end
settle(attempt, ARGV[3], tonumber(ARGV[4]), unpack(ARGV, 8))
local found = call('HMGET', key('attempt', ARGV[2]), 'reference', 'role_id')
if ARGV[3] == 'done' and found[1] and found[1] ~= '' then
  call('SADD', key('references', attempt.assessor, found[2]), found[1])
end
return call('HGETALL', key('attempt', ARGV[2]))
